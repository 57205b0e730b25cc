"""Usage (tokens by type) and costs (USD by type), brought to the form that is stored."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

MAX_UNITS: Final = 2**53
MAX_COST: Final = 999_999.999999
"""Largest amount that the cost columns hold, USD."""

Usage = dict[str, float]
"""Units by usage type; whole numbers but for units such as seconds, which are rounded only when they are stored."""


def sum_of(details: Mapping[str, float], side: str) -> float | None:
    """The sum over all types whose name contains `side` (`input` or `output`); None when there is none.

    Contains, not begins: Anthropic's `cache_read_input_tokens` are input too.
    """
    values = [value for key, value in details.items() if side in key]
    return sum(values) if values else None


def add_total(usage: Mapping[str, float]) -> Usage:
    """The same usage with `total`, the sum of all keys where none was sent; empty stays empty."""
    if usage and "total" not in usage:
        return {**usage, "total": min(sum(usage.values()), MAX_UNITS)}
    return dict(usage)


def rounded(usage: Mapping[str, float]) -> dict[str, int]:
    """Usage in the whole units that are stored; halves are rounded up."""
    return {key: math.floor(units + 0.5) for key, units in usage.items()}


def legacy_costs(sent: Mapping[str, Any]) -> dict[str, float]:
    """The costs within the old `usage` object."""
    return normalise_costs({name: sent.get(name) for name in _LEGACY_COSTS})


_LEGACY_COSTS: Final = ("input_cost", "output_cost", "total_cost", "inputCost", "outputCost", "totalCost")


def normalise_costs(sent: Mapping[str, Any]) -> dict[str, float]:
    """The non-negative finite amounts among what was sent, in USD; `input_cost` and the like by their usage type."""
    costs: dict[str, float] = {}
    for key, value in sent.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            continue
        if value >= 0 and value < math.inf:
            costs[_costed(key)] = float(min(value, MAX_COST))
    return costs


def _costed(name: str) -> str:
    """The usage type whose cost stands under a name; names without `cost` are types already."""
    plain = _CAMEL.sub("_", name).lower()
    if plain == "cost":
        return "total"
    if not plain.endswith(("_cost", "_cost_usd")):
        return name
    plain = plain.removesuffix("_usd").removesuffix("_cost").removesuffix("_tokens")
    return _COSTED.get(plain, plain)


_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_COSTED: Final = {
    "prompt": "input",
    "completion": "output",
    "cache_read": "input_cache_read",
    "cached": "input_cache_read",
    "cache_write": "input_cache_creation",
    "cache_creation": "input_cache_creation",
    "reasoning": "output_reasoning",
}


def units_of(value: Any) -> float | None:
    """A non-negative number of units, also when it was sent as text; whole where it has no fraction; else None."""
    if (whole := whole_number(value)) is not None:
        return whole
    if isinstance(value, str) and len(value) <= _MOST_DIGITS and _DECIMAL.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, float) and math.isfinite(value) and value >= 0:
        return min(value, MAX_UNITS)
    return None


_MOST_DIGITS: Final = 40
_DECIMAL: Final = re.compile(r"[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]{1,2})?", re.ASCII)


def whole_number(value: Any) -> int | None:
    """A non-negative whole number, also when it was sent as text or as a float without fraction; else None."""
    if type(value) is int:
        return min(value, MAX_UNITS) if value >= 0 else None
    if isinstance(value, str):
        text = value.strip()
        if not text.isascii() or not text.isdigit():
            return None
        value = int(text) if len(text) < 20 else MAX_UNITS
    if isinstance(value, float):
        if not math.isfinite(value) or value != int(value):
            return None
        value = int(value)
    return min(value, MAX_UNITS) if type(value) is int and value >= 0 else None


def take_out_parts(usage: Usage) -> None:
    """Leave out of each count what is counted by itself beside it."""
    short_lived = sum(usage.get(key, 0) for key in _EPHEMERAL)
    if short_lived and usage.get(_CACHE_CREATION, 0) >= short_lived:
        usage[_CACHE_CREATION] -= short_lived
    if "total" in usage and usage["total"] == usage.get("input", 0) + usage.get("output", 0):
        # Then the parts are within input and output, or the total would be larger.
        for side in ("input", "output"):
            parts = sum(units for key, units in usage.items() if side in key and key != side)
            if parts and usage.get(side, 0) >= parts:
                usage[side] -= parts


_CACHE_CREATION: Final = "cache_creation_input_tokens"
_EPHEMERAL: Final = ("cache_creation_ephemeral_5m_input_tokens", "cache_creation_ephemeral_1h_input_tokens")
