"""The one builder of SQL: conditions over a closed list of columns and operators, every value bound by the server."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from appliance.errors import InvalidRequest
from appliance.model.filters import Condition
from appliance.storage.clickhouse.words import has_words, plain

ColumnKind = Literal["string", "number", "datetime", "boolean", "array", "map", "numbers", "categories", "booleans"]

_FITS: Final[Mapping[ColumnKind, tuple[str, ...]]] = {
    "string": ("string", "stringOptions", "null"),
    "number": ("number", "null"),
    "datetime": ("datetime", "null"),
    "boolean": ("boolean", "null"),
    "array": ("arrayOptions", "stringOptions", "null"),
    "map": ("stringObject", "numberObject", "booleanObject", "categoryOptions", "null"),
    "numbers": ("numberObject",),
    "categories": ("categoryOptions",),
    "booleans": ("booleanObject",),
}
_IS_NULL: Final[Mapping[ColumnKind, str]] = {
    "string": "{0} = ''",
    "number": "{0} IS NULL",
    "datetime": "{0} IS NULL",
    "boolean": "{0} IS NULL",
    "array": "empty({0})",
    "map": "empty({0})",
}
# Below this depth, the rest of a key with dots is one key.
_MOST_STEPS: Final = 5
_PLACE: Final = re.compile(r"[0-9]{1,6}")
_ORDER: Final = frozenset({"=", ">", "<", ">=", "<=", "<>", "!="})


@dataclass(frozen=True, slots=True)
class FilterColumn:
    """A column that can be filtered: its kind decides which conditions fit, `sql` computes it."""

    kind: ColumnKind
    sql: str
    source: str = ""
    """The source that must be joined for it; each module defines its own."""


@dataclass(slots=True)
class Binder:
    """Collects values for one statement and hands out their placeholders."""

    params: dict[str, Any] = field(default_factory=dict)

    def bind(self, value: Any, type_name: str = "String") -> str:
        """The placeholder of a value, with the type that the server reads it as."""
        name = f"p{len(self.params)}"
        self.params[name] = value
        return f"{{{name}:{type_name}}}"

    def time(self, microseconds: int) -> str:
        """A point in time, bound; microseconds since the epoch."""
        return f"fromUnixTimestamp64Micro({self.bind(microseconds, 'Int64')}, 'UTC')"

    def test(self, column: FilterColumn, condition: Condition) -> str:
        """SQL of one condition; raises InvalidRequest when its type does not fit the column."""
        if condition.type not in _FITS[column.kind]:
            raise InvalidRequest(f"Invalid filter type {condition.type} for column {condition.column}")
        if condition.type == "null":
            missing = _IS_NULL[column.kind].format(column.sql)
            return missing if condition.operator == "is null" else f"NOT ({missing})"
        if column.kind in ("map", "numbers", "categories", "booleans"):
            return self._keyed(column, condition)
        if isinstance(condition.value, list):
            return self._options(column, condition.operator, condition.value)
        return self._compared(column, condition)

    def _compared(self, column: FilterColumn, condition: Condition) -> str:
        if condition.type == "string":
            return self._text(column.sql, condition.operator, str(condition.value))
        if condition.operator not in _ORDER:
            raise InvalidRequest(f"Invalid filter operator {condition.operator!r} for column {condition.column}")
        if condition.type == "datetime":
            assert isinstance(condition.value, int), "times are integers"
            bound = self.time(condition.value)
        elif condition.type == "boolean":
            bound = self.bind(bool(condition.value), "Bool")
        else:
            bound = self.bind(condition.value, "Float64")
            return f"toFloat64({column.sql}) {condition.operator} {bound}"
        return f"{column.sql} {condition.operator} {bound}"

    def _options(self, column: FilterColumn, operator: str, values: list[str]) -> str:
        bound = self.bind(values, "Array(String)")
        if column.kind == "array":
            call = "hasAll" if operator == "all of" else "hasAny"
            test = f"{call}(arrayMap(x -> toString(x), {column.sql}), {bound})"
        else:
            test = f"{column.sql} IN {bound}"
        return f"NOT ({test})" if operator == "none of" else test

    def _text(self, sql: str, operator: str, text: str) -> str:
        if operator == "matches":
            return has_words(sql, plain(text), self.bind(plain(text))) or "false"
        bound = self.bind(text)
        return {
            "=": f"{sql} = {bound}",
            "contains": f"position({sql}, {bound}) > 0",
            "does not contain": f"position({sql}, {bound}) = 0",
            "starts with": f"startsWith({sql}, {bound})",
            "ends with": f"endsWith({sql}, {bound})",
        }[operator]

    def _keyed(self, column: FilterColumn, condition: Condition) -> str:
        if column.kind in ("categories", "booleans"):
            return self._among_pairs(column.sql, self.bind(condition.key), condition)
        has, entry = self._entry(column, condition.key)
        if condition.operator in ("is set", "is not set"):
            return f"NOT ({has})" if condition.operator == "is not set" else has
        if condition.type == "numberObject":
            value = self.bind(condition.value, "Float64")
            number = entry if column.kind == "numbers" else f"toFloat64OrNull({entry})"
            return f"({has} AND {number} {condition.operator} {value})"
        if condition.type == "booleanObject":
            return f"{entry} {condition.operator} {self.bind(str(condition.value).lower())}"
        if isinstance(condition.value, list):
            test = f"{entry} IN {self.bind(condition.value, 'Array(String)')}"
            return f"NOT ({test})" if condition.operator == "none of" else test
        return self._text(entry, condition.operator, str(condition.value))

    def _entry(self, column: FilterColumn, key: str) -> tuple[str, str]:
        """SQL of whether a map has a value at `key`, and of the value: text as it is, anything else as JSON.

        `customer.plan` is the key of that name, or what the JSON object at `customer` has at `plan`.
        """
        if column.kind != "map" or "." not in key:
            bound = self.bind(key)
            return f"mapContains({column.sql}, {bound})", f"{column.sql}[{bound}]"
        # One array holds all keys, as a statement may have a thousand parameters.
        keys = [key]
        bound = self.bind(keys, "Array(String)")
        tests, cases = [f"mapContains({column.sql}, {bound}[1])"], [f"{column.sql}[{bound}[1]]"]
        for path in paths_of(key):
            steps = []
            for step in path:
                if isinstance(step, str):
                    keys.append(step)
                steps.append(str(step) if isinstance(step, int) else f"{bound}[{len(keys)}]")
            place = ", ".join([f"{column.sql}[{steps[0]}]", *steps[1:]])
            tests.append(f"JSONHas({place})")
            cases.append(f"if(JSONType({place}) = 'String', JSONExtractString({place}), JSONExtractRaw({place}))")
        choices = ", ".join(f"{test}, {case}" for test, case in zip(tests, cases, strict=True))
        return f"({' OR '.join(tests)})", f"multiIf({choices}, '')"

    def _among_pairs(self, sql: str, key: str, condition: Condition) -> str:
        """Whether an array of (name, value) holds the wanted pair; the opposite also holds for the absent name."""
        values = condition.value if isinstance(condition.value, list) else ["True" if condition.value else "False"]
        test = f"arrayExists(x -> x.1 = {key} AND x.2 IN {self.bind(values, 'Array(String)')}, {sql})"
        return f"NOT ({test})" if condition.operator in ("none of", "<>") else test


def paths_of(key: str) -> list[tuple[str | int, ...]]:
    """The paths that a key with dots may mean: a key of the map, then keys within its JSON.

    What follows the first key is one key (as `http.method` of OpenTelemetry's attributes) or as many as there are dots,
    with numbers for the places of a list, counted from 0 as in JSON's paths and from 1 in the result.
    """
    steps = key.split(".")[:_MOST_STEPS]
    steps[-1:] = [key.removeprefix(".".join(steps[:-1]) + ".")]
    paths: list[tuple[str | int, ...]] = []
    for cut in range(len(steps) - 1, 0, -1):
        top, rest = ".".join(steps[:cut]), steps[cut:]
        places = tuple(int(step) + 1 if _PLACE.fullmatch(step) else step for step in rest)
        paths += [(top, ".".join(rest)), *([(top, *places)] if places != (".".join(rest),) else [])]
    return paths


def find_column(columns: Mapping[str, FilterColumn], condition: Condition) -> FilterColumn:
    """The column that a condition means, by its id or its display name; raises InvalidRequest for others."""
    column = columns.get(condition.column) or columns.get(_as_id(condition.column))
    if column is None:
        raise InvalidRequest(f"Column {condition.column} does not match a UI / CH table mapping.")
    return column


def all_of(tests: list[str], *, prefix: str = "") -> str:
    """The tests joined by AND behind `prefix`; empty when there are none."""
    return prefix + " AND ".join(f"({test})" for test in tests) if tests else ""


def _as_id(display: str) -> str:
    """`User ID` -> `userId`, `Start Time` -> `startTime`."""
    words = display.replace("(s)", "").replace("($)", "").split()
    return words[0].lower() + "".join(word.capitalize() for word in words[1:]) if words else ""
