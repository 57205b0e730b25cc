"""Usage (tokens by type) and costs (USD by type), brought to the form that is stored."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

MAX_UNITS: Final = 2**53
MAX_COST: Final = 999_999.999999
"""Largest amount that the cost columns hold, USD."""

_COMPLETIONS = ("prompt_tokens", "completion_tokens", "total_tokens")
_RESPONSES = ("input_tokens", "output_tokens", "total_tokens")


def normalise_usage(sent: Mapping[str, Any]) -> dict[str, int]:
    """Usage details as stored, without the total that is added later.

    The two shapes of OpenAI are taken only when nothing else is in them; their details are named input_* and output_*
    and taken out of input and output. From any other record the non-negative whole numbers are kept
    (contract: server semantics 3.2), and nothing in it is counted twice (conventions notes 12).
    """
    for names in (_COMPLETIONS, _RESPONSES):
        if (found := _openai_shape(sent, names)) is not None:
            return found
    usage = {key: units for key, value in sent.items() if (units := whole_number(value)) is not None}
    _take_out_parts(usage)
    return usage


def sum_of(details: Mapping[str, float], side: str) -> float | None:
    """The sum over all types whose name contains `side` (`input` or `output`); None when there is none.

    Contains, not begins: Anthropic's `cache_read_input_tokens` are input too.
    """
    values = [value for key, value in details.items() if side in key]
    return sum(values) if values else None


def add_total(usage: dict[str, int]) -> dict[str, int]:
    """The same usage with `total`, the sum of all keys where none was sent; empty stays empty."""
    if usage and "total" not in usage:
        return {**usage, "total": min(sum(usage.values()), MAX_UNITS)}
    return usage


def legacy_usage(sent: Mapping[str, Any]) -> tuple[dict[str, int], dict[str, float]]:
    """The old `usage` object as usage details and provided costs (contract: server semantics 3.2 and 3.5)."""
    openai = ("promptTokens", "completionTokens", "totalTokens")
    names = openai if any(sent.get(name) is not None for name in openai) else ("input", "output", "total")
    pairs = zip(("input", "output", "total"), names, strict=True)
    usage = {key: units for key, name in pairs if (units := whole_number(sent.get(name))) is not None}
    costs = {"input": sent.get("inputCost"), "output": sent.get("outputCost"), "total": sent.get("totalCost")}
    return usage, normalise_costs(costs)


def normalise_costs(sent: Mapping[str, Any]) -> dict[str, float]:
    """The non-negative finite amounts among what was sent, in USD."""
    costs: dict[str, float] = {}
    for key, value in sent.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            continue
        if value >= 0 and value < math.inf:
            costs[key] = float(min(value, MAX_COST))
    return costs


def whole_number(value: Any) -> int | None:
    """A non-negative whole number, also when it was sent as text or as a float without fraction; else None."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        text = value.strip()
        if not text.isascii() or not text.isdigit():
            return None
        value = int(text) if len(text) < 20 else MAX_UNITS
    if isinstance(value, float):
        if not math.isfinite(value) or value != int(value):
            return None
        value = int(value)
    return min(value, MAX_UNITS) if isinstance(value, int) and value >= 0 else None


def _take_out_parts(usage: dict[str, int]) -> None:
    """Leave out of each count what is counted by itself beside it."""
    short_lived = sum(usage.get(key, 0) for key in _EPHEMERAL)
    if short_lived and usage.get(_CACHE_CREATION, 0) >= short_lived:
        usage[_CACHE_CREATION] -= short_lived
    if "total" in usage and usage["total"] == usage.get("input", 0) + usage.get("output", 0):
        # Then the parts are within input and output, or the total would be larger.
        for side in ("input", "output"):
            parts = sum(units for key, units in usage.items() if key.startswith(f"{side}_"))
            if parts and usage.get(side, 0) >= parts:
                usage[side] -= parts


_CACHE_CREATION: Final = "cache_creation_input_tokens"
_EPHEMERAL: Final = ("cache_creation_ephemeral_5m_input_tokens", "cache_creation_ephemeral_1h_input_tokens")


def _openai_shape(sent: Mapping[str, Any], names: tuple[str, str, str]) -> dict[str, int] | None:
    values = [whole_number(sent.get(name)) for name in names]
    details = (f"{names[0]}_details", f"{names[1]}_details")
    if None in values or any(key not in names and key not in details for key in sent):
        return None
    counted = dict(zip(("input", "output", "total"), (value or 0 for value in values), strict=True))
    for side, key in zip(("input", "output"), details, strict=True):
        parts = sent.get(key)
        if parts is None:
            continue
        if not isinstance(parts, Mapping):
            return None
        for name, value in parts.items():
            if (units := whole_number(value)) is not None:
                counted[f"{side}_{name}"] = units
                counted[side] = max(counted[side] - units, 0)
    return counted
