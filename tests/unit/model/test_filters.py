"""The filter JSON of the public API."""

from __future__ import annotations

import msgspec
import pytest

from appliance.errors import InvalidRequest
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
    ("text", "message"),
    [
        ("[", "Invalid JSON in filter parameter"),
        ("{}", "expected a list"),
        ("[1]", "expected an object"),
        ('[{"type":"odd","column":"a","operator":"="}]', "unknown type 'odd'"),
        ('[{"type":"string","operator":"=","value":"x"}]', "no column"),
        ('[{"type":"string","column":"a","operator":">","value":"x"}]', "Invalid filter operator '>'"),
        ('[{"type":"string","column":"a","operator":"=","value":1}]', "expected a string"),
        ('[{"type":"number","column":"a","operator":"=","value":"x"}]', "expected a number"),
        ('[{"type":"number","column":"a","operator":"=","value":true}]', "expected a number"),
        ('[{"type":"boolean","column":"a","operator":"=","value":"x"}]', "expected true or false"),
        ('[{"type":"stringOptions","column":"a","operator":"any of","value":[]}]', "not empty"),
        ('[{"type":"stringObject","column":"metadata","operator":"=","value":"x"}]', "needs a key"),
        ('[{"type":"datetime","column":"a","operator":">","value":"2025-01-01T00:00:00"}]', "with offset"),
    ],
)
def test_errors_say_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match="Invalid") as caught:
        parse_filter(text)
    assert message in caught.value.message


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
