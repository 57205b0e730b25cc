"""The calls that the programs around the anthropic client make: tool use with cache tokens, and streaming."""

from _scenario import QUESTION, get_population

CLAUDE = "claude-sonnet-4-5"
CLAUDE_TOOL = {
    "name": "get_population",
    "description": "Number of inhabitants of a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def ask_with_tool(client) -> str:
    """Asks, runs the tool which the model wants, and asks again with its result."""
    messages = [{"role": "user", "content": QUESTION}]
    common = {"model": CLAUDE, "max_tokens": 200, "system": "Be brief.", "tools": [CLAUDE_TOOL]}
    first = client.messages.create(messages=messages, **common)
    wanted = first.content[0]
    result = str(get_population(**wanted.input))
    messages.append({"role": "assistant", "content": [wanted.model_dump(exclude_none=True)]})
    messages.append({"role": "user", "content": [{"type": "tool_result", "tool_use_id": wanted.id, "content": result}]})
    return client.messages.create(messages=messages, **common).content[0].text


def stream_joke(client) -> str:
    """A streamed answer."""
    joke = [{"role": "user", "content": "Tell me a joke"}]
    with client.messages.stream(model=CLAUDE, max_tokens=100, messages=joke) as stream:
        return stream.get_final_text()
