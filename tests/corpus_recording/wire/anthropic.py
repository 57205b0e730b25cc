"""Anthropic messages API; its input_tokens leave out what the cache gave or took."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.corpus_recording.answers import Answer, Question, Tool, Usage
from tests.corpus_recording.wire.openai_chat import event, pieces, text_of

Json = dict[str, Any]


def question(body: Json) -> Question:
    """What a messages request asks."""
    user, has_result = "", False
    for message in body.get("messages", []):
        if message.get("role") != "user":
            continue
        content = message.get("content")
        blocks = content if isinstance(content, list) else [{"type": "text", "text": content}]
        if any(block.get("type") == "tool_result" for block in blocks):
            has_result = True
        texts = [block for block in blocks if block.get("type") == "text"]
        if texts:
            user = text_of(texts)
    choice = body.get("tool_choice") or {}
    return Question(
        model=str(body.get("model", "")),
        system=text_of(body.get("system")),
        user=user,
        has_tool_result=has_result,
        tools=[Tool(str(tool.get("name")), tool.get("input_schema") or {}) for tool in body.get("tools") or []],
        forced_tool=choice.get("name") if choice.get("type") == "tool" else None,
        writes_cache=True,
    )


def usage_json(usage: Usage) -> Json:
    """The usage object of the messages API."""
    return {
        "input_tokens": usage.input - usage.cached - usage.cache_written,
        "cache_creation_input_tokens": usage.cache_written,
        "cache_read_input_tokens": usage.cached,
        "cache_creation": {"ephemeral_5m_input_tokens": usage.cache_written, "ephemeral_1h_input_tokens": 0},
        "output_tokens": usage.output,
        "service_tier": "standard",
    }


def _block(given: Answer, number: int) -> Json:
    if given.tool:
        return {"type": "tool_use", "id": f"toolu_{number:06d}", "name": given.tool, "input": dict(given.arguments)}
    return {"type": "text", "text": given.text}


def response(asked: Question, given: Answer, number: int) -> Json:
    """A whole message."""
    return {
        "id": f"msg_{number:06d}",
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": [_block(given, number)],
        "stop_reason": "tool_use" if given.tool else "end_turn",
        "stop_sequence": None,
        "usage": usage_json(given.usage),
    }


def stream(asked: Question, given: Answer, number: int) -> Iterator[bytes]:
    """The server-sent events of a streamed message."""
    whole = response(asked, given, number)
    begun = {**whole, "content": [], "stop_reason": None, "usage": {**whole["usage"], "output_tokens": 1}}
    yield event({"type": "message_start", "message": begun}, "message_start")
    nothing: Json = {"input": {}} if given.tool else {"text": ""}
    empty = {**_block(given, number), **nothing}
    yield event({"type": "content_block_start", "index": 0, "content_block": empty}, "content_block_start")
    if given.tool:
        deltas: list[Json] = [{"type": "input_json_delta", "partial_json": given.arguments_json}]
    else:
        deltas = [{"type": "text_delta", "text": piece} for piece in pieces(given.text)]
    for delta in deltas:
        yield event({"type": "content_block_delta", "index": 0, "delta": delta}, "content_block_delta")
    yield event({"type": "content_block_stop", "index": 0}, "content_block_stop")
    end = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    usage = {"output_tokens": given.usage.output}
    yield event({"type": "message_delta", "delta": end, "usage": usage}, "message_delta")
    yield event({"type": "message_stop"}, "message_stop")
