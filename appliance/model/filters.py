"""Conditions on traces, observations and scores: the API's filter JSON and the query bar mean the same things."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import UNSET

from appliance import issues
from appliance.errors import InvalidData, InvalidRequest
from appliance.issues import Issue, Path
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
_NUMBERS: Final = frozenset({"number", "numberObject", "positionInTrace"})
_BOOLEANS: Final = frozenset({"boolean", "booleanObject"})
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
    """The conditions of a `filter` parameter; raises InvalidRequest and InvalidData that name what is wrong."""
    try:
        items = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise InvalidRequest("Invalid JSON in filter parameter") from None
    return parse_conditions(items)


def parse_conditions(items: object, path: Path = ("filter",)) -> list[Condition]:
    """The conditions of a decoded list, to which `path` leads; raises like `parse_filter`."""
    if not isinstance(items, list):
        raise InvalidData([issues.invalid_type(path, "array", items)])
    if len(items) > MAX_CONDITIONS:
        raise InvalidRequest(f"Invalid filter: {len(items)} conditions; at most {MAX_CONDITIONS} are possible")
    conditions: list[Condition] = []
    found: list[Issue] = []
    for position, item in enumerate(items):
        try:
            conditions.append(_condition(item, (*path, position)))
        except InvalidData as error:
            found += error.issues
    if found:
        raise InvalidData(found)
    if (searches := sum(each.column == SEARCH_COLUMN for each in conditions)) > MAX_SEARCHES:
        raise InvalidRequest(
            f"Invalid filter: {searches} texts to search; at most {MAX_SEARCHES} are possible. "
            "Words between double quotes are one text."
        )
    return conditions


def _condition(item: object, path: Path) -> Condition:
    if not isinstance(item, dict):
        raise InvalidData([issues.invalid_type(path, "object", item)])
    kind, column, operator = (item.get(name) for name in ("type", "column", "operator"))
    if not isinstance(kind, str) or kind not in OPERATORS:
        raise InvalidData([issues.no_discriminator(path, "type")])
    found: list[Issue] = []
    if not isinstance(column, str):
        found.append(issues.invalid_type((*path, "column"), "string", item.get("column", UNSET)))
    elif not column:
        found.append(issues.too_small((*path, "column"), "string", 1))
    key = item.get("key")
    if kind in _KEYED and (not isinstance(key, str) or not key):
        found.append(_no_key((*path, "key"), item.get("key", UNSET)))
    if operator not in OPERATORS[kind]:
        found.append(issues.invalid_value((*path, "operator"), OPERATORS[kind]))
    value = _value(kind, item.get("value", ""))
    if value is None:
        found.append(_no_value((*path, "value"), kind, item.get("value", "")))
    if found or value is None:
        raise InvalidData(found)
    return Condition(
        type=kind, column=str(column), operator=str(operator), value=value, key=key if isinstance(key, str) else ""
    )


def _value(kind: str, value: object) -> Value | None:
    """The value of a condition; None when it does not fit the type."""
    if kind == "null":
        return ""
    if kind in _LISTS:
        return value if isinstance(value, list) and value and all(isinstance(part, str) for part in value) else None
    if kind in _NUMBERS:
        return _number(value)
    if kind in _BOOLEANS:
        return value if isinstance(value, bool) else None
    if not isinstance(value, str):
        return None
    return _time(value) if kind == "datetime" else value


def _no_key(path: Path, key: object) -> Issue:
    return issues.too_small(path, "string", 1) if key == "" else issues.invalid_type(path, "string", key)


def _no_value(path: Path, kind: str, value: object) -> Issue:
    """The issue with a value that does not fit the type of its condition."""
    if kind in _LISTS:
        if not isinstance(value, list):
            return issues.invalid_type(path, "array", value)
        odd = next(((index, part) for index, part in enumerate(value) if not isinstance(part, str)), None)
        return issues.invalid_type((*path, odd[0]), "string", odd[1]) if odd else issues.too_small(path, "array", 1)
    if kind in _NUMBERS:
        return issues.invalid_type(path, "number", value)
    if kind in _BOOLEANS:
        return issues.invalid_type(path, "boolean", value)
    return issues.no_date(path) if kind == "datetime" else issues.invalid_type(path, "string", value)


def _number(value: object) -> float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    if value is None:
        return math.nan
    try:
        return float(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _time(text: str) -> int | None:
    try:
        return parse_time(text)
    except ValueError:
        return None
