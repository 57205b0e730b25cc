"""What spans say a call cost, under the names that gateways and libraries write it in."""

from __future__ import annotations

import re
from typing import Any, Final

from appliance.ingestion.otel.span import Attributes
from appliance.model.usage import units_of

_CURRENCIES: Final = (
    "gen_ai.usage.currency",
    "gen_ai.cost.currency",
    "gen_ai.usage.cost.currency",
    "llm.cost.currency",
)
_WHOLE: Final = re.compile(r"(?:operation|gen_ai|gen_ai\.response|llm)\.cost|(?:total_)?cost_usd", re.ASCII)
_KIND: Final = re.compile(
    r"(?:gen_ai\.usage\.cost|gen_ai\.cost|llm\.cost|llm\.usage\.cost)\.(?P<kind>[a-z_]+)"
    r"|(?:gen_ai\.usage|gen_ai\.response|llm\.usage)\.(?P<usage>[a-z_]+)",
    re.ASCII,
)
_PART: Final = re.compile(r"llm\.cost\.(prompt|completion)_details\.([a-z_]+)", re.ASCII)
_NO_PART: Final = re.compile(r"original|discount|margin|upstream|markup|saving", re.ASCII)
"""Amounts that are no part of what was billed."""
_SIDES: Final = {"prompt": "input", "completion": "output"}


def take_costs(attributes: Attributes) -> dict[str, Any] | None:
    """The amounts in USD by kind (`input_cost`, `total_cost`, ...), taken out of the attributes; None without any.

    What is no amount, or in another currency, stays. Of two names for the same kind the first counts.
    """
    names = [key for key in attributes if "cost" in key]
    if not names or any(str(attributes.get(key, "USD")).upper() not in ("USD", "$") for key in _CURRENCIES):
        return None
    costs: dict[str, Any] = {}
    for key in names:
        kind = _kind_of(key)
        if kind and kind not in costs and (amount := units_of(attributes[key])) is not None:
            costs[kind] = amount
            del attributes[key]
    for key in names:
        if found := _PART.fullmatch(key):
            side = _SIDES[found[1]]
            if f"{side}_cost" not in costs and (amount := units_of(attributes[key])) is not None:
                costs[side if found[2] == side else f"{side}_{found[2]}"] = amount
                del attributes[key]
    return costs or None


def _kind_of(key: str) -> str | None:
    if _WHOLE.fullmatch(key):
        return "total_cost"
    found = _KIND.fullmatch(key)
    if found is None:
        return None
    name = (found["kind"] or found["usage"]).removesuffix("_usd")
    if found["usage"] and not name.endswith("cost"):
        return None
    name = name.removesuffix("cost").removesuffix("_") or "total"
    return None if _NO_PART.search(name) else f"{_SIDES.get(name, name)}_cost"
