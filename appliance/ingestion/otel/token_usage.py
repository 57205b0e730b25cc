"""Token counts that several conventions report under many names, as usage details that add up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from appliance.ingestion.json_text import parse_object
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
    "prompt_details.cache_input",
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
_CACHE_WRITE_IF_ANY: Final = ("cache_write.input_tokens", "cache_write_input_tokens")
"""Names of the same that keep standing for themselves while they count nothing."""
_CACHE_WRITE_5M: Final = (
    "ephemeral_5m_input_tokens",
    "details.ephemeral_5m_input_tokens",
    "cache_creation.ephemeral_5m_input_tokens",
    "details.cache_creation.ephemeral_5m_input_tokens",
    "cache_creation_ephemeral_5m_input_tokens",
    "input_cache_creation_5m",
)
_CACHE_WRITE_1H: Final = tuple(name.replace("5m", "1h") for name in _CACHE_WRITE_5M)
"""Parts of what was written to the cache, by how long it stays: they differ in price."""
_REASONING: Final = ("reasoning.output_tokens", "output_tokens_details.reasoning", "output_reasoning_tokens")
"""Reasoning under names that would be summed up with the output."""
_REASONING_BESIDE: Final = ("experimental.reasoning_tokens",)
"""Reasoning that was left out of the output."""
_REASONING_ALIAS: Final = ("reasoning_tokens", "details.reasoning_tokens", "completion_details.reasoning")


def usage_from_counts(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Usage details from counts by their bare names, such as `input_tokens` or `completion_details.reasoning`.

    The counts of all keys that name input add up to what was billed as input, and likewise for output; `total` is
    always set with them (contract: server semantics 4.4, conventions notes 4). Cached and cache-writing tokens are
    taken out of the input, unless the total or their size shows that they were never counted in it.
    """
    counts = {key: units for key, value in sent.items() if (units := whole_number(value)) is not None}
    given, made, total = _take(counts, _INPUT), _take(counts, _OUTPUT), _take(counts, _TOTAL)
    usage: dict[str, Any] = {}
    read = _take(counts, _CACHE_READ)
    written = _take(counts, _CACHE_WRITE)
    extra = _take(counts, tuple(name for name in _CACHE_WRITE_IF_ANY if counts.get(name)))
    written = max(written or 0, extra) if extra else written
    lifetimes = cache_lifetimes(counts, written)
    cached = (read or 0) + sum(lifetimes.values())
    if given is not None:
        is_apart = cached > given or (total is not None and total == given + (made or 0) + cached)
        usage["input"] = given if is_apart else given - cached
    usage |= {"input_cached_tokens": read} if read is not None else {}
    usage |= lifetimes
    usage |= _output(counts, made, None if total is None or given is None else total - given)
    sides = sum(usage.values())
    usage |= {key.removeprefix("details."): units for key, units in counts.items()}
    if total or sides or usage:
        usage["total"] = total or sides
    return usage


def cache_lifetimes(counts: dict[str, int], written: int | None) -> dict[str, int]:
    """What was written to the cache, by how long it stays as far as that is told; `written` is all of it, if known.

    Takes what it reads out of the counts.
    """
    short, long = _take(counts, _CACHE_WRITE_5M), _take(counts, _CACHE_WRITE_1H)
    told = {"input_cache_creation_5m": short or 0, "input_cache_creation_1h": long or 0}
    told = {key: units for key, units in told.items() if units}
    rest = max((written or 0) - sum(told.values()), 0)
    return {"input_cache_creation": rest, **told} if rest or (written is not None and not told) else told


def raw_details(raw: Any) -> dict[str, int]:
    """The parts of input and output that the provider's own usage object (or its JSON text) tells of."""
    found = parse_object(raw) or {}
    asked = found.get("input_tokens_details") or found.get("prompt_tokens_details") or found.get("input_token_details")
    made = found.get("output_tokens_details") or found.get("completion_tokens_details")
    made = made or found.get("output_token_details")
    parts = {"cache_read_tokens": found.get("cache_read_input_tokens")}
    parts["cache_write_tokens"] = found.get("cache_creation_input_tokens")
    if isinstance(kept := found.get("cache_creation"), Mapping):
        parts |= {key: kept.get(key) for key in ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")}
    if isinstance(asked, Mapping):
        parts["cache_read_tokens"] = asked.get("cached_tokens", asked.get("cache_read"))
        parts["cache_write_tokens"] = asked.get("cache_write_tokens", asked.get("cache_creation"))
    if isinstance(made, Mapping):
        parts["output_reasoning_tokens"] = made.get("reasoning_tokens", made.get("reasoning"))
    return {key: units for key, value in parts.items() if (units := whole_number(value))}


def _output(counts: dict[str, int], made: int | None, billed: int | None) -> dict[str, int]:
    """The output and its reasoning; takes what it reads out of the counts.

    Reasoning is taken out of the output, unless `billed` (the total without the input) or its size shows that it was
    never counted in it.
    """
    beside, within = _take(counts, _REASONING_BESIDE), _take(counts, _REASONING)
    usage: dict[str, int] = {}
    if beside is not None or within is not None:
        _take(counts, _REASONING_ALIAS)
        usage["output_reasoning_tokens"] = beside or within or 0
    if made is not None:
        is_beside = beside or (within or 0) > made or billed == made + (within or 0)
        usage["output"] = made if is_beside else made - (within or 0)
    return usage


def _take(counts: dict[str, int], names: tuple[str, ...]) -> int | None:
    """The largest count among the names; all of them are taken out."""
    found = [counts.pop(name) for name in names if name in counts]
    return max(found) if found else None
