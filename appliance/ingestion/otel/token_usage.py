"""Token counts that several conventions report under many names, as usage details that add up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from appliance.model.usage import whole_number

_INPUT: Final = ("prompt_tokens", "input_tokens", "prompt", "input")
_OUTPUT: Final = ("completion_tokens", "output_tokens", "completion", "output")
_TOTAL: Final = ("total_tokens", "total")
_CACHE_READ: Final = (
    "cache_read.input_tokens",
    "cache_read_tokens",
    "cache_read_input_tokens",
    "details.cache_read_tokens",
    "details.cache_read_input_tokens",
    "prompt_details.cache_read",
    "input_tokens_details.cached",
    "input_cached_tokens",
    "cached_tokens",
    "cached_input_tokens",
)
_CACHE_WRITE: Final = (
    "cache_creation.input_tokens",
    "cache_creation_tokens",
    "cache_creation_input_tokens",
    "cache_write_tokens",
    "details.cache_write_tokens",
    "details.cache_creation_input_tokens",
    "prompt_details.cache_write",
    "input_cache_creation",
)
_REASONING: Final = (
    "reasoning.output_tokens",
    "reasoning_tokens",
    "details.reasoning_tokens",
    "completion_details.reasoning",
    "output_tokens_details.reasoning",
    "output_reasoning_tokens",
)


def usage_from_counts(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Usage details from counts by their bare names, such as `input_tokens` or `completion_details.reasoning`.

    Cached, cache-writing and reasoning tokens are parts of input and output: they are taken out of them, so that the
    sum is what was billed (contract: server semantics 4.4, conventions notes 4). A part that is larger than the whole
    was not counted in it.
    """
    counts = {key: units for key, value in sent.items() if (units := whole_number(value)) is not None}
    given = _take(counts, _INPUT)
    made = _take(counts, _OUTPUT)
    total = _take(counts, _TOTAL)
    read, written, reasoning = _take(counts, _CACHE_READ), _take(counts, _CACHE_WRITE), _take(counts, _REASONING)
    usage: dict[str, Any] = {}
    if given is not None:
        usage["input"] = _without(given, (read or 0) + (written or 0))
    if made is not None:
        usage["output"] = _without(made, reasoning or 0)
    parts = {"input_cached_tokens": read, "input_cache_creation": written, "output_reasoning_tokens": reasoning}
    usage |= {key: units for key, units in parts.items() if units}
    usage |= {key.removeprefix("details."): units for key, units in counts.items() if units}
    if total is not None and (total or not usage):
        usage["total"] = total
    return usage


def _take(counts: dict[str, int], names: tuple[str, ...]) -> int | None:
    """The first of the names that has a count; all of them are taken out."""
    found = [counts.pop(name) for name in names if name in counts]
    return max(found) if found else None


def _without(whole: int, part: int) -> int:
    return whole - part if part <= whole else whole
