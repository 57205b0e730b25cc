"""The calls of every program around the openai client: tool use, streaming, a refusal, embeddings, responses."""

import json

from _scenario import MODEL, QUESTION, TOOL, get_population


def ask_with_tool(client) -> str:
    """Asks, runs the tool which the model wants, and asks again with its result."""
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTION}]
    first = client.chat.completions.create(model=MODEL, messages=messages, tools=[TOOL], temperature=0.2)
    wanted = first.choices[0].message.tool_calls[0]
    result = get_population(**json.loads(wanted.function.arguments))
    messages += [first.choices[0].message.model_dump(exclude_none=True)]
    messages += [{"role": "tool", "tool_call_id": wanted.id, "content": str(result)}]
    last = client.chat.completions.create(model=MODEL, messages=messages, tools=[TOOL], temperature=0.2)
    return last.choices[0].message.content


def stream_joke(client) -> str:
    """A streamed answer with its usage."""
    parts = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": "Tell me a joke"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    return "".join(part.choices[0].delta.content or "" for part in parts if part.choices)


def fail(client) -> None:
    """A call that the provider refuses."""
    try:
        client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "FAIL please"}])
    except Exception as error:
        assert "refuses" in str(error)


def embed(client) -> None:
    """One embedding."""
    client.embeddings.create(model="text-embedding-3-small", input=QUESTION)


def respond(client) -> str:
    """One call of the responses API."""
    return client.responses.create(model=MODEL, instructions="Be brief.", input=QUESTION).output_text
