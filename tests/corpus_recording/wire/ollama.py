"""Ollama's chat endpoint, whole and streamed as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.corpus_recording.answers import Answer, Question
from tests.corpus_recording.wire.openai_chat import pieces

Json = dict[str, Any]


def response(asked: Question, given: Answer, text: str | None = None, *, done: bool = True) -> Json:
    """A whole chat response, or with `text` one streamed part of it."""
    message: Json = {"role": "assistant", "content": given.text if text is None else text}
    if given.tool:
        message["tool_calls"] = [{"function": {"name": given.tool, "arguments": dict(given.arguments)}}]
    head: Json = {"model": asked.model, "created_at": "2025-11-23T10:50:00Z", "message": message, "done": done}
    if not done:
        return head
    counts = {"prompt_eval_count": given.usage.input, "eval_count": given.usage.output}
    times = {"total_duration": 5_000_000, "load_duration": 1_000_000, "eval_duration": 3_000_000}
    return {**head, "done_reason": "stop", **counts, **times}


def stream(asked: Question, given: Answer) -> Iterator[bytes]:
    """The lines of a streamed chat response."""
    for piece in pieces(given.text):
        yield json.dumps(response(asked, given, piece, done=False)).encode() + b"\n"
    yield json.dumps(response(asked, given, "")).encode() + b"\n"
