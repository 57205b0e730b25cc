"""Costs of calls, under the names that gateways and libraries use in spans."""

from __future__ import annotations

import re
from typing import Any, Final

from appliance.ingestion.json_text import parse_object
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
"""Amounts that are not part of the bill."""
_OBJECTS: Final = frozenset(
    ("gen_ai.usage.cost", "gen_ai.usage.cost_details", "gen_ai.cost", "gen_ai.cost_details", "llm.cost")
)
"""Attributes that may hold all amounts in one object."""
_SIDES: Final = {"prompt": "input", "completion": "output"}


def take_costs(attributes: Attributes) -> dict[str, Any] | None:
    """The amounts in USD by kind (`input_cost`, `total_cost`, ...), taken out of the attributes; None without any.

    Values that are no amounts, or in another currency, stay. Of two names for the same kind the first counts.
    """
    names = [key for key in attributes if "cost" in key]
    if not names or any(str(attributes.get(key, "USD")).upper() not in ("USD", "$") for key in _CURRENCIES):
        return None
    costs: dict[str, Any] = {}
    for key in _OBJECTS & attributes.keys():
        record = parse_object(attributes[key]) or {}
        amounts = {_costed(name): amount for name, value in record.items() if (amount := units_of(value)) is not None}
        costs |= {kind: amount for kind, amount in amounts.items() if kind}
        if amounts and None not in amounts:
            del attributes[key]
    for key in names:
        if key not in attributes:
            continue
        kind = _kind_of(key)
        if kind and kind not in costs and (amount := units_of(attributes[key])) is not None:
            costs[kind] = amount
            del attributes[key]
    for key in names:
        if match := _PART.fullmatch(key):
            side = _SIDES[match[1]]
            if f"{side}_cost" not in costs and (amount := units_of(attributes[key])) is not None:
                costs[side if match[2] == side else f"{side}_{match[2]}"] = amount
                del attributes[key]
    return costs or None


def _kind_of(key: str) -> str | None:
    if _WHOLE.fullmatch(key):
        return "total_cost"
    match = _KIND.fullmatch(key)
    if match is None:
        return None
    name = match["kind"] or match["usage"]
    if match["usage"] and not name.removesuffix("_usd").endswith("cost"):
        return None
    return _costed(name)


def _costed(name: str) -> str | None:
    """The kind of a cost by its bare name, such as `prompt`, `input_cost` or `cost`; None when not billed."""
    plain = name.removesuffix("_usd").removesuffix("cost").removesuffix("_") or "total"
    return None if _NO_PART.search(plain) else f"{_SIDES.get(plain, plain)}_cost"
