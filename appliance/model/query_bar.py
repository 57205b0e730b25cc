"""The query bar's grammar (`name:rag level:ERROR cost>0.01 "refund policy"`), shared by the TUI and the CLI."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from appliance.errors import InvalidRequest
from appliance.model.filters import SEARCH_COLUMN, Condition
from appliance.model.observations import LEVELS, OBSERVATION_TYPES
from appliance.model.times import clamp, micros_of, parse_span, parse_time

_WORD: Final = re.compile(
    r"""(?P<not>-?)(?P<field>[A-Za-z_][A-Za-z0-9_]*(?:\.[^\s:<>="]+)?)(?P<op>>=|<=|:|=|>|<)(?P<value>"[^"]*"|[^\s"]\S*)?"""
)
_TEXT: Final = re.compile(r'"([^"]*)"?|(\S+)')

TEXT_FIELDS: Final = {
    "name": "name",
    "id": "id",
    "user": "userId",
    "session": "sessionId",
    "env": "environment",
    "environment": "environment",
    "version": "version",
    "release": "release",
    "level": "level",
}
LIST_FIELDS: Final = {"tag": "tags", "tags": "tags", "model": "model", "type": "observationTypes"}
NUMBER_FIELDS: Final = {
    "cost": "totalCost",
    "latency": "latency",
    "tokens": "totalTokens",
    "input_tokens": "inputTokens",
    "output_tokens": "outputTokens",
    "errors": "errorCount",
    "warnings": "warningCount",
    "observations": "observationCount",
}
TIME_FIELDS: Final = {"time": "timestamp", "since": "timestamp", "before": "timestamp"}
BOOL_FIELDS: Final = {"bookmarked": "bookmarked", "public": "public"}
OBJECT_FIELDS: Final = ("metadata", "score")
CLOSED_FIELDS: Final = {"level": LEVELS, "type": OBSERVATION_TYPES}
"""Fields with the only values that they can have, in any case."""

FIELDS: Final = (*TEXT_FIELDS, *LIST_FIELDS, *NUMBER_FIELDS, *TIME_FIELDS, *BOOL_FIELDS, "metadata.", "score.")
"""All that may stand before an operator, for completion."""

_ALIKE: Final = 0.8
"""How much a mistyped field is like the known one that may be meant."""

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "k": 1e3, "M": 1e6, "$": 1.0, "": 1.0}
_NUMBER: Final = re.compile(r"\$?(-?\d+(?:\.\d+)?(?:e-?\d+)?)([A-Za-z$]*)")


def parse_query_bar(text: str, now: datetime | None = None) -> list[Condition]:
    """The conditions that a line of the query bar asks for; raises InvalidRequest with one sentence.

    `field:value` is equality (`*` at either end means starts, ends or contains; a comma means any of), `-field:value`
    excludes, `< > <= >=` compare numbers (`2s`, `300ms`, `1.5k`, `$0.01`) and times; other words are searched. Spans
    such as `since:24h` end `now`.
    """
    return list(_conditions(text, now or datetime.now(UTC)))


def _conditions(text: str, now: datetime) -> Iterator[Condition]:
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
        elif (word := _WORD.match(text, position)) and _is_field(word["field"]):
            yield _field_condition(word["field"], word["op"], _unquoted(word), bool(word["not"]), now)
            position = word.end()
        elif word and word["value"] and not word["value"].startswith("//"):  # as in https://
            raise _unknown(word)
        else:
            free = _TEXT.match(text, position)
            assert free is not None
            yield _search(free[1] if free[1] is not None else free[2])
            position = free.end()


def _unknown(word: re.Match[str]) -> InvalidRequest:
    """A field that does not exist finds nothing, and would as text: that is said."""
    field, text = word["field"], word[0].replace('"', "")
    meant = difflib.get_close_matches(field, FIELDS, 1, _ALIKE)
    question = f"; is {meant[0]} meant?" if meant else "."
    known = ", ".join(f"{each}NAME" if each.endswith(".") else each for each in FIELDS)
    return InvalidRequest(f"There is no field {field!r}{question}", hint=f'Fields: {known}. As text: "{text}"')


def _is_field(field: str) -> bool:
    head, dot, rest = field.partition(".")
    return (bool(rest) and head in OBJECT_FIELDS) if dot else field in FIELDS


def _unquoted(word: re.Match[str]) -> str:
    value = (word["value"] or "").strip('"')
    if not value:
        raise InvalidRequest(f"A value is missing after {word['field']}{word['op']}.")
    return value


def _search(text: str) -> Condition:
    return Condition(type="string", column=SEARCH_COLUMN, operator="contains", value=text)


def _field_condition(field: str, operator: str, value: str, negated: bool, now: datetime) -> Condition:
    operator = "=" if operator == ":" else operator
    head, _, key = field.partition(".")
    if negated and head not in (*TEXT_FIELDS, *LIST_FIELDS):
        raise InvalidRequest(f"-{field} cannot be excluded; compare it instead.")
    if head == "metadata":
        return _metadata(key, operator, value)
    if head == "score":
        return _score(key, operator, value)
    if field in NUMBER_FIELDS:
        return Condition(type="number", column=NUMBER_FIELDS[field], operator=operator, value=_amount(field, value))
    if field in TIME_FIELDS:
        return _time(field, operator, value, now)
    if operator != "=":
        raise InvalidRequest(f"{field} is no number; write {field}:{value}.")
    if field in CLOSED_FIELDS and "*" not in value:
        value = _one_of(field, value)
    if field in BOOL_FIELDS:
        return Condition(type="boolean", column=BOOL_FIELDS[field], operator="=", value=_truth(field, value))
    if value == "*" and field in (*TEXT_FIELDS, *LIST_FIELDS):
        column = TEXT_FIELDS.get(field) or LIST_FIELDS[field]
        return Condition(type="null", column=column, operator="is null" if negated else "is not null", value="")
    if field in LIST_FIELDS:
        kind = "none of" if negated else "any of"
        return Condition(type="arrayOptions", column=LIST_FIELDS[field], operator=kind, value=value.split(","))
    return _text(field, value, negated)


def _text(field: str, value: str, negated: bool) -> Condition:
    column = TEXT_FIELDS[field]
    if field in CLOSED_FIELDS:
        value = value.upper()
    starts, ends = value.endswith("*"), value.startswith("*")
    bare = value.strip("*")
    if negated and (starts or ends):
        return Condition(type="string", column=column, operator="does not contain", value=bare)
    if negated:
        return Condition(type="stringOptions", column=column, operator="none of", value=value.split(","))
    if starts or ends:
        how = "contains" if starts and ends else "starts with" if starts else "ends with"
        return Condition(type="string", column=column, operator=how, value=bare)
    return Condition(type="stringOptions", column=column, operator="any of", value=value.split(","))


def _one_of(field: str, value: str) -> str:
    known, values = CLOSED_FIELDS[field], value.upper().split(",")
    if unknown := next((each for each in values if each not in known), None):
        raise InvalidRequest(f"{field} is one of {', '.join(known)}, not {unknown}.")
    return ",".join(values)


def _metadata(key: str, operator: str, value: str) -> Condition:
    if operator != "=":
        amount = _amount(f"metadata.{key}", value)
        return Condition(type="numberObject", column="metadata", operator=operator, key=key, value=amount)
    starts, ends = value.endswith("*"), value.startswith("*")
    how = "contains" if starts and ends else "starts with" if starts else "ends with" if ends else "="
    return Condition(type="stringObject", column="metadata", operator=how, key=key, value=value.strip("*"))


def _score(name: str, operator: str, value: str) -> Condition:
    if _NUMBER.fullmatch(value):
        amount = _amount(f"score.{name}", value)
        return Condition(type="numberObject", column="scores_avg", operator=operator, key=name, value=amount)
    if operator != "=":
        raise InvalidRequest(f"score.{name} can only be compared with a number, not {value!r}.")
    if value.lower() in ("true", "false"):
        return Condition(
            type="booleanObject", column="score_booleans", operator="=", key=name, value=value.lower() == "true"
        )
    return Condition(
        type="categoryOptions", column="score_categories", operator="any of", key=name, value=value.split(",")
    )


def _time(field: str, operator: str, value: str, now: datetime) -> Condition:
    if field != "time":
        operator = ">=" if field == "since" else "<"
    elif operator == "=":
        raise InvalidRequest("time needs <, <=, > or >=.")
    try:
        moment = _moment(value, now)
    except ValueError:
        hint = "Such as 24h or 7d (before now), 2026-01-31 (in UTC) or 2026-01-31T09:30:00+01:00."
        raise InvalidRequest(f"{field} needs a time, not {value!r}.", hint=hint) from None
    return Condition(type="datetime", column=TIME_FIELDS[field], operator=operator, value=moment)


def _moment(text: str, now: datetime) -> int:
    """The microseconds since the epoch of a time, a day, or a span before `now`; raises ValueError."""
    if (span := parse_span(text)) is not None:
        return clamp(micros_of(now) - span)
    is_day = re.fullmatch(r"\d{4}-\d\d-\d\d", text)
    return parse_time(f"{text}T00:00:00Z" if is_day else text)


def _truth(field: str, value: str) -> bool:
    if value.lower() not in ("true", "false", "yes", "no"):
        raise InvalidRequest(f"{field} is either true or false, not {value!r}.")
    return value.lower() in ("true", "yes")


def _amount(field: str, value: str) -> float:
    match = _NUMBER.fullmatch(value)
    if match is None or match[2] not in _UNITS:
        raise InvalidRequest(f"{field} needs a number, not {value!r}.", hint="Such as 0.01, 300ms, 2s or 1.5k.")
    return float(match[1]) * _UNITS[match[2]]
