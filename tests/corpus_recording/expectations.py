"""What must be readable after a recording is ingested, taken from the provider's ledger and the manifest only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.corpus_recording.manifest import Source, Trace
from tests.corpus_recording.provider import Call
from tests.corpus_recording.wire.openai_chat import DATED

FRAGMENTS = ("population", "joke", "FAIL", "My name is Ada")
"""Words of the scripted prompts, one of which every prompt holds."""

MANUAL: dict[str, Any] = {
    "api": "manual",
    "cached": 0,
    "cache_written": 0,
    "reasoning": 0,
    "tool": None,
    "streamed": False,
    "error": False,
    "not_sent": [],
}
"""What a call that the program reports by hand has unless the manifest says otherwise."""


def expectation(source: Source, calls: Sequence[Call]) -> dict[str, Any]:
    """The content of a source's expect.json."""
    billed = [_call(call, source.not_sent.get(number, ())) for number, call in enumerate(calls)]
    billed += [{**MANUAL, **call} for call in source.manual_calls]
    return {
        "source": source.name,
        "packages": list(source.packages),
        "traces": [_trace(trace) for trace in source.traces],
        "llm_calls": billed,
        "tokens": {key: sum(one[key] for one in billed) for key in ("input", "output", "total")},
        "tools": list(source.tools),
        "notes": list(source.notes),
    }


def _trace(trace: Trace) -> dict[str, Any]:
    return {"root": trace.root, "session": trace.session, "user": trace.user, "tags": list(trace.tags)}


def _call(call: Call, not_sent: Sequence[str]) -> dict[str, Any]:
    usage = call.answer.usage
    asked = call.question.model
    return {
        "api": call.api,
        "models": sorted({asked, DATED.get(asked, asked)}),
        "input": usage.input,
        "output": usage.output,
        "total": usage.total,
        "cached": usage.cached,
        "cache_written": usage.cache_written,
        "reasoning": usage.reasoning,
        "input_contains": next((word for word in FRAGMENTS if word in call.question.user), ""),
        "output_contains": call.answer.fragment,
        "tool": call.answer.tool,
        "streamed": call.streamed,
        "error": call.answer.error is not None,
        "not_sent": list(not_sent),
    }
