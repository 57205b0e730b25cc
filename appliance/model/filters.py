"""Conditions on traces, observations and scores: the API's filter JSON and the query bar mean the same things."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from appliance.errors import InvalidRequest
from appliance.model.times import iso_text, parse_time

Value = str | int | float | bool | list[str]

_TEXT: Final = ("=", "contains", "does not contain", "starts with", "ends with", "matches")
_ORDER: Final = ("=", ">", "<", ">=", "<=")

OPERATORS: Final[Mapping[str, tuple[str, ...]]] = {
    "datetime": (">", "<", ">=", "<="),
    "string": _TEXT,
    "stringOptions": ("any of", "none of"),
    "categoryOptions": ("any of", "none of"),
    "arrayOptions": ("any of", "none of", "all of"),
    "number": _ORDER,
    "stringObject": (*_TEXT, "is set", "is not set"),
    "numberObject": _ORDER,
    "booleanObject": ("=", "<>"),
    "boolean": ("=", "<>"),
    "null": ("is null", "is not null"),
    "positionInTrace": ("=",),
}
"""The operators of every type of condition (contract: server semantics 6.3)."""

MAX_CONDITIONS: Final = 100
"""A filter with more conditions is refused."""
MAX_SEARCHES: Final = 10
"""A filter with more texts to search is refused, as each is a search of its own."""
SEARCH_COLUMN: Final = "search"
"""Column of free text: names, ids, users, inputs and outputs."""

_KEYED: Final = frozenset({"stringObject", "numberObject", "booleanObject", "categoryOptions"})
_LISTS: Final = frozenset({"stringOptions", "categoryOptions", "arrayOptions"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One test; all conditions of a filter must hold."""

    type: str
    column: str
    operator: str
    value: Value = ""
    """A point in time is microseconds since the epoch."""
    key: str = ""
    """Metadata key or score name, for the types that look into a map."""

    def as_json(self) -> dict[str, Any]:
        """The condition as the API's `filter` parameter spells it."""
        value = self.value
        if self.type == "datetime" and isinstance(value, int):
            value = iso_text(value)
        spelled: dict[str, Any] = {
            "type": self.type,
            "column": self.column,
            "operator": self.operator,
            "value": value,
        }
        return spelled | ({"key": self.key} if self.key else {})


def parse_filter(text: str) -> list[Condition]:
    """The conditions of a `filter` parameter; raises InvalidRequest that names what is wrong."""
    try:
        items = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise InvalidRequest("Invalid JSON in filter parameter") from None
    return parse_conditions(items)


def parse_conditions(items: object) -> list[Condition]:
    """The conditions of a decoded list; raises InvalidRequest that names what is wrong."""
    if not isinstance(items, list):
        raise InvalidRequest("Invalid filter: expected a list of conditions")
    if len(items) > MAX_CONDITIONS:
        raise InvalidRequest(f"Invalid filter: {len(items)} conditions; at most {MAX_CONDITIONS} are possible")
    conditions = [_condition(position, item) for position, item in enumerate(items)]
    if (searches := sum(each.column == SEARCH_COLUMN for each in conditions)) > MAX_SEARCHES:
        raise InvalidRequest(
            f"Invalid filter: {searches} texts to search; at most {MAX_SEARCHES} are possible. "
            "Words between double quotes are one text."
        )
    return conditions


def _condition(position: int, item: object) -> Condition:
    if not isinstance(item, dict):
        raise InvalidRequest(f"Invalid filter condition {position}: expected an object")
    kind, column, operator = (item.get(name) for name in ("type", "column", "operator"))
    if not isinstance(kind, str) or kind not in OPERATORS:
        raise InvalidRequest(f"Invalid filter condition {position}: unknown type {kind!r}")
    if not isinstance(column, str) or not column:
        raise InvalidRequest(f"Invalid filter condition {position}: no column")
    if operator not in OPERATORS[kind]:
        allowed = ", ".join(OPERATORS[kind])
        raise InvalidRequest(f"Invalid filter operator {operator!r} for type {kind}: expected one of {allowed}")
    key = item.get("key")
    if kind in _KEYED and (not isinstance(key, str) or not key):
        raise InvalidRequest(f"Invalid filter on {column}: type {kind} needs a key")
    return Condition(
        type=kind,
        column=column,
        operator=operator,
        value=_checked(kind, column, item.get("value", "")),
        key=key if isinstance(key, str) else "",
    )


def _checked(kind: str, column: str, value: object) -> Value:
    """The value of a condition when it fits its type."""
    if kind == "null":
        return ""
    if kind in _LISTS:
        if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
            return value
        raise InvalidRequest(f"Invalid filter value for {column}: expected a list of strings that is not empty")
    if kind in ("number", "numberObject", "positionInTrace"):
        return _number(column, value)
    if kind in ("boolean", "booleanObject"):
        if isinstance(value, bool):
            return value
        raise InvalidRequest(f"Invalid filter value for {column}: expected true or false")
    if not isinstance(value, str):
        raise InvalidRequest(f"Invalid filter value for {column}: expected a string")
    return time_value(column, value) if kind == "datetime" else value


def _number(column: str, value: object) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    try:
        return float(value) if isinstance(value, str) else float("nan" if value is None else "")
    except ValueError:
        raise InvalidRequest(f"Invalid filter value for {column}: expected a number") from None


def time_value(column: str, text: str) -> int:
    """The microseconds since the epoch of an ISO 8601 time with offset; raises InvalidRequest for any other text."""
    try:
        return parse_time(text)
    except ValueError:
        raise InvalidRequest(f"Invalid filter value for {column}: expected an ISO 8601 time with offset") from None
