"""OpenAI chat completions (also spoken by Mistral and many others) and embeddings."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.corpus_recording.answers import EMBEDDING_SIZE, EMBEDDING_USAGE, Answer, Question, Tool, Usage

Json = dict[str, Any]
CREATED = 1_763_895_000
DATED = {"gpt-4o-mini": "gpt-4o-mini-2024-07-18", "gpt-4o": "gpt-4o-2024-08-06"}
"""The dated name under which the provider answers for an alias."""


def text_of(content: Any) -> str:
    """The text of a message's content, given as a string or as a list of parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(str(part.get("text", "")) if isinstance(part, dict) else str(part) for part in parts)


def question(body: Json) -> Question:
    """What a chat completions request asks."""
    messages: Sequence[Json] = body.get("messages", [])
    last_user = max((i for i, m in enumerate(messages) if m.get("role") == "user"), default=-1)
    choice = body.get("tool_choice")
    functions = [tool.get("function", {}) for tool in body.get("tools") or []]
    return Question(
        model=str(body.get("model", "")),
        system="\n".join(text_of(m.get("content")) for m in messages if m.get("role") in ("system", "developer")),
        user=text_of(messages[last_user].get("content")) if last_user >= 0 else "",
        has_tool_result=any(m.get("role") in ("tool", "function", "tool-response") for m in messages),
        tools=[Tool(str(f.get("name")), f.get("parameters") or {}) for f in functions],
        forced_tool=choice.get("function", {}).get("name") if isinstance(choice, dict) else None,
        schema=_schema(body.get("response_format")),
    )


def _schema(response_format: Any) -> Mapping[str, Any] | None:
    if not isinstance(response_format, dict) or response_format.get("type") != "json_schema":
        return None
    schema: Mapping[str, Any] = response_format["json_schema"]["schema"]
    return schema


def usage_json(usage: Usage) -> Json:
    """The usage object of chat completions."""
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.total,
        "prompt_tokens_details": {"cached_tokens": usage.cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def response(asked: Question, given: Answer, number: int) -> Json:
    """A whole chat completion."""
    message: Json = {"role": "assistant", "content": given.text or None, "refusal": None}
    if given.tool:
        message["tool_calls"] = [_tool_call(given, number)]
    return {
        "id": f"chatcmpl-{number:06d}",
        "object": "chat.completion",
        "created": CREATED,
        "model": DATED.get(asked.model, asked.model),
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(given)}],
        "usage": usage_json(given.usage),
        "service_tier": "default",
        "system_fingerprint": "fp_fake",
    }


def _tool_call(given: Answer, number: int) -> Json:
    function = {"name": given.tool, "arguments": given.arguments_json}
    return {"id": f"call_{number:06d}", "type": "function", "function": function}


def _finish(given: Answer) -> str:
    return "tool_calls" if given.tool else "stop"


def stream(asked: Question, given: Answer, number: int, body: Json) -> Iterator[bytes]:
    """The server-sent events of a streamed chat completion; usage only when the request includes it."""
    with_usage = bool((body.get("stream_options") or {}).get("include_usage"))
    base: Json = {
        "id": f"chatcmpl-{number:06d}",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": DATED.get(asked.model, asked.model),
        "system_fingerprint": "fp_fake",
    }

    def chunk(delta: Json, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return event({**base, "choices": [choice], **({"usage": None} if with_usage else {})})

    yield chunk({"role": "assistant", "content": "" if given.text else None})
    if given.tool:
        yield chunk({"tool_calls": [{"index": 0, **_tool_call(given, number)}]})
    for piece in pieces(given.text):
        yield chunk({"content": piece})
    yield chunk({}, _finish(given))
    if with_usage:
        yield event({**base, "choices": [], "usage": usage_json(given.usage)})
    yield b"data: [DONE]\n\n"


def pieces(text: str) -> list[str]:
    """The text in three parts, as a model would stream it."""
    third = max(1, -(-len(text) // 3))
    return [text[i : i + third] for i in range(0, len(text), third)]


def event(data: Json, name: str | None = None) -> bytes:
    """One server-sent event."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data)}\n\n".encode()


def embeddings(body: Json) -> Json:
    """An embeddings response with one short vector per input."""
    given = body.get("input", "")
    count = len(given) if isinstance(given, list) and given and not isinstance(given[0], int) else 1
    vector = [0.5] * EMBEDDING_SIZE
    packed = base64.b64encode(struct.pack(f"<{EMBEDDING_SIZE}f", *vector)).decode()
    shown = packed if body.get("encoding_format") == "base64" else vector
    return {
        "object": "list",
        "model": body.get("model"),
        "data": [{"object": "embedding", "index": i, "embedding": shown} for i in range(count)],
        "usage": {"prompt_tokens": EMBEDDING_USAGE.input, "total_tokens": EMBEDDING_USAGE.total},
    }
