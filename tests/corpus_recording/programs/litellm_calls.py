"""The calls that the programs around LiteLLM make."""

import json

from _scenario import QUESTION, TOOL, get_population

WITH_USAGE = {"include_usage": True}
JOKE = [{"role": "user", "content": "Tell me a joke"}]


def main(litellm, **options) -> None:
    """A tool call and its follow-up, a streamed answer and an embedding."""
    messages = [{"role": "user", "content": QUESTION}]
    first = litellm.completion(model="gpt-4o-mini", messages=messages, tools=[TOOL], temperature=0.2, **options)
    wanted = first.choices[0].message.tool_calls[0]
    result = get_population(**json.loads(wanted.function.arguments))
    messages += [first.choices[0].message.model_dump(exclude_none=True)]
    messages += [{"role": "tool", "tool_call_id": wanted.id, "content": str(result)}]
    litellm.completion(model="gpt-4o-mini", messages=messages, tools=[TOOL], temperature=0.2, **options)
    list(litellm.completion(model="gpt-4o-mini", messages=JOKE, stream=True, stream_options=WITH_USAGE, **options))
    litellm.embedding(model="text-embedding-3-small", input=[QUESTION], **options)
