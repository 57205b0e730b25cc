"""OpenAI responses API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.corpus_recording.answers import Answer, Question, Tool
from tests.corpus_recording.wire.openai_chat import CREATED, DATED, event, pieces, text_of

Json = dict[str, Any]


def question(body: Json) -> Question:
    """What a responses request asks."""
    given = body.get("input", "")
    items: list[Json] = [{"role": "user", "content": given}] if isinstance(given, str) else given
    users = [text_of(item.get("content")) for item in items if item.get("role") == "user"]
    systems = [text_of(item.get("content")) for item in items if item.get("role") in ("system", "developer")]
    tools = [t for t in body.get("tools") or [] if t.get("type", "function") == "function"]
    form = (body.get("text") or {}).get("format") or {}
    return Question(
        model=str(body.get("model", "")),
        system="\n".join([str(body.get("instructions") or ""), *systems]),
        user=users[-1] if users else "",
        has_tool_result=any(item.get("type") == "function_call_output" for item in items),
        tools=[Tool(str(tool.get("name")), tool.get("parameters") or {}) for tool in tools],
        schema=form.get("schema") if form.get("type") == "json_schema" else None,
    )


def _output_item(given: Answer, number: int) -> Json:
    if given.tool:
        return {
            "type": "function_call",
            "id": f"fc_{number:06d}",
            "call_id": f"call_{number:06d}",
            "name": given.tool,
            "arguments": given.arguments_json,
            "status": "completed",
        }
    content = [{"type": "output_text", "text": given.text, "annotations": [], "logprobs": []}]
    return {
        "type": "message",
        "id": f"msg_{number:06d}",
        "role": "assistant",
        "status": "completed",
        "content": content,
    }


def response(asked: Question, given: Answer, number: int, body: Json) -> Json:
    """A whole response object."""
    return {
        "id": f"resp_{number:06d}",
        "object": "response",
        "created_at": CREATED,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "metadata": {},
        "model": DATED.get(asked.model, asked.model),
        "output": [_output_item(given, number)],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "top_p": 1.0,
        "tool_choice": "auto",
        "tools": body.get("tools") or [],
        "text": {"format": {"type": "text"}},
        "usage": {
            "input_tokens": given.usage.input,
            "input_tokens_details": {"cached_tokens": given.usage.cached, "cache_write_tokens": 0},
            "output_tokens": given.usage.output,
            "output_tokens_details": {"reasoning_tokens": given.usage.reasoning},
            "total_tokens": given.usage.total,
        },
    }


def stream(asked: Question, given: Answer, number: int, body: Json) -> Iterator[bytes]:
    """The server-sent events of a streamed response."""
    whole = response(asked, given, number, body)
    item = _output_item(given, number)
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    place = {"output_index": 0, "item_id": item["id"]}
    nothing: Json = {"arguments": ""} if given.tool else {"content": []}
    empty = {**item, "status": "in_progress", **nothing}
    events: list[Json] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": empty},
    ]
    if given.tool:
        kind = "response.function_call_arguments"
        events.append({"type": f"{kind}.delta", **place, "delta": given.arguments_json})
        events.append({"type": f"{kind}.done", **place, "arguments": given.arguments_json, "name": given.tool})
    else:
        part = item["content"][0]
        where = {**place, "content_index": 0}
        events.append({"type": "response.content_part.added", **where, "part": {**part, "text": ""}})
        for piece in pieces(given.text):
            events.append({"type": "response.output_text.delta", **where, "delta": piece, "logprobs": []})
        events.append({"type": "response.output_text.done", **where, "text": given.text, "logprobs": []})
        events.append({"type": "response.content_part.done", **where, "part": part})
    events.append({"type": "response.output_item.done", "output_index": 0, "item": item})
    events.append({"type": "response.completed", "response": whole})
    for order, data in enumerate(events):
        yield event({**data, "sequence_number": order}, data["type"])
