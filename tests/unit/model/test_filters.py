"""The filter JSON of the public API."""

from __future__ import annotations

import msgspec
import pytest

from appliance import issues
from appliance.errors import InvalidData, InvalidRequest
from appliance.model.filters import MAX_CONDITIONS, MAX_SEARCHES, Condition, parse_conditions, parse_filter


def test_conditions_survive_a_round_trip() -> None:
    spelled = [
        {"type": "stringObject", "column": "metadata", "operator": "=", "value": "x", "key": "k"},
        {"type": "number", "column": "latency", "operator": ">=", "value": 2.5},
        {"type": "arrayOptions", "column": "tags", "operator": "all of", "value": ["a", "b"]},
        {"type": "null", "column": "userId", "operator": "is null", "value": ""},
        {"type": "boolean", "column": "bookmarked", "operator": "<>", "value": True},
        {"type": "datetime", "column": "timestamp", "operator": "<", "value": "2025-01-01T00:00:00.000000Z"},
    ]
    found = parse_filter(msgspec.json.encode(spelled).decode())
    assert [condition.as_json() for condition in found] == spelled


def test_numbers_may_come_as_text_and_null_ignores_its_value() -> None:
    (number,) = parse_conditions([{"type": "number", "column": "latency", "operator": "=", "value": "1.5"}])
    assert number.value == 1.5
    (missing,) = parse_conditions([{"type": "null", "column": "name", "operator": "is null", "value": None}])
    assert missing == Condition(type="null", column="name", operator="is null")


@pytest.mark.parametrize(
    ("condition", "path", "message"),
    [
        (1, (), "expected object, received number"),
        ({"type": "odd", "column": "a", "operator": "="}, ("type",), "Invalid input"),
        ({"type": "string", "operator": "=", "value": "x"}, ("column",), "expected string, received undefined"),
        ({"type": "string", "column": "", "operator": "=", "value": "x"}, ("column",), ">=1 characters"),
        ({"type": "number", "column": "a", "operator": "~", "value": 1}, ("operator",), 'one of "="|">"|"<"|">="|"<="'),
        (
            {"type": "string", "column": "a", "operator": "=", "value": 1},
            ("value",),
            "expected string, received number",
        ),
        (
            {"type": "number", "column": "a", "operator": "=", "value": "x"},
            ("value",),
            "expected number, received string",
        ),
        ({"type": "number", "column": "a", "operator": "=", "value": True}, ("value",), "received boolean"),
        ({"type": "boolean", "column": "a", "operator": "=", "value": "x"}, ("value",), "expected boolean"),
        ({"type": "stringOptions", "column": "a", "operator": "any of", "value": []}, ("value",), ">=1 items"),
        ({"type": "stringOptions", "column": "a", "operator": "any of", "value": "x"}, ("value",), "expected array"),
        ({"type": "stringOptions", "column": "a", "operator": "any of", "value": ["x", 1]}, ("value", 1), "string"),
        ({"type": "stringObject", "column": "metadata", "operator": "=", "value": "x"}, ("key",), "undefined"),
        ({"type": "datetime", "column": "a", "operator": ">", "value": "2025-01-01T00:00:00"}, ("value",), "date"),
    ],
)
def test_issues_say_where_and_what_is_wrong(condition: object, path: tuple[str | int, ...], message: str) -> None:
    with pytest.raises(InvalidData) as caught:
        parse_filter(msgspec.json.encode([condition]).decode())
    (issue,) = caught.value.issues
    assert issue.path == ("filter", 0, *path)
    assert message in issue.message


def test_all_conditions_are_checked_at_once() -> None:
    wrong = {"type": "number", "column": 1, "operator": "~", "value": "x"}
    with pytest.raises(InvalidData) as caught:
        parse_conditions([wrong, wrong], ("query", "filters"))
    names = ("column", "operator", "value")
    assert [issue.path for issue in caught.value.issues] == [
        ("query", "filters", position, name) for position in range(2) for name in names
    ]


def test_a_filter_is_json() -> None:
    with pytest.raises(InvalidRequest, match="Invalid JSON in filter parameter"):
        parse_filter("[")


def test_a_filter_is_a_list() -> None:
    with pytest.raises(InvalidData) as caught:
        parse_filter("{}")
    assert caught.value.issues == [issues.invalid_type(("filter",), "array", {})]


def test_json_nested_too_deep_is_a_bad_request() -> None:
    with pytest.raises(InvalidRequest, match="Invalid JSON"):
        parse_filter("[" * 5_000)


def test_a_filter_has_a_bound() -> None:
    one = {"type": "string", "column": "name", "operator": "=", "value": "x"}
    assert len(parse_conditions([one] * MAX_CONDITIONS)) == MAX_CONDITIONS
    with pytest.raises(InvalidRequest, match=f"at most {MAX_CONDITIONS}"):
        parse_conditions([one] * (MAX_CONDITIONS + 1))
    search = one | {"column": "search", "operator": "contains"}
    assert len(parse_conditions([search] * MAX_SEARCHES)) == MAX_SEARCHES
    with pytest.raises(InvalidRequest, match=f"at most {MAX_SEARCHES}"):
        parse_conditions([search] * (MAX_SEARCHES + 1))
