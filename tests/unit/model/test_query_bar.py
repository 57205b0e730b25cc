"""The grammar of the query bar."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import InvalidRequest
from appliance.model.query_bar import FIELDS, parse_query_bar
from appliance.model.times import micros_of


def spelled(text: str) -> list[tuple[object, ...]]:
    return [
        (found.column, found.operator, found.value, *([found.key] if found.key else []))
        for found in parse_query_bar(text)
    ]


def micros(text: str) -> int:
    return micros_of(datetime.fromisoformat(text))


def test_a_whole_line() -> None:
    line = (
        "name:rag-answer model:gpt-4o cost>0.01 latency>2s tag:prod level:ERROR user:alice score.quality<0.5 "
        'metadata.tenant:t7 "refund policy"'
    )
    assert spelled(line) == [
        ("name", "any of", ["rag-answer"]),
        ("model", "any of", ["gpt-4o"]),
        ("totalCost", ">", 0.01),
        ("latency", ">", 2.0),
        ("tags", "any of", ["prod"]),
        ("level", "any of", ["ERROR"]),
        ("userId", "any of", ["alice"]),
        ("scores_avg", "<", 0.5, "quality"),
        ("metadata", "=", "t7", "tenant"),
        ("search", "contains", "refund policy"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("latency>=300ms", ("latency", ">=", 0.3)),
        ("tokens<1.5k", ("totalTokens", "<", 1500.0)),
        ("cost>$0.5", ("totalCost", ">", 0.5)),
        ("errors:2", ("errorCount", "=", 2.0)),
        ("name:rag*", ("name", "starts with", "rag")),
        ("name:*rag", ("name", "ends with", "rag")),
        ("name:*rag*", ("name", "contains", "rag")),
        ('name:"two words"', ("name", "any of", ["two words"])),
        ("-env:dev,test", ("environment", "none of", ["dev", "test"])),
        ("-tag:x", ("tags", "none of", ["x"])),
        ("level:error", ("level", "any of", ["ERROR"])),
        ("level:err*", ("level", "starts with", "ERR")),
        ("type:tool,agent", ("observationTypes", "any of", ["TOOL", "AGENT"])),
        ("user:*", ("userId", "is not null", "")),
        ("-user:*", ("userId", "is null", "")),
        ("tag:*", ("tags", "is not null", "")),
        ("score.right:true", ("score_booleans", "=", True, "right")),
        ("score.tone:ok,good", ("score_categories", "any of", ["ok", "good"], "tone")),
        ("metadata.a.b:x*", ("metadata", "starts with", "x", "a.b")),
        ("metadata.n>3", ("metadata", ">", 3.0, "n")),
        ("bookmarked:yes", ("bookmarked", "=", True)),
        ("since:2025-01-01", ("timestamp", ">=", micros("2025-01-01T00:00:00Z"))),
        ("time<2025-01-01T10:00:00+01:00", ("timestamp", "<", micros("2025-01-01T10:00:00+01:00"))),
        ("https://example.org", ("search", "contains", "https://example.org")),
        ("word", ("search", "contains", "word")),
    ],
)
def test_single_conditions(text: str, expected: tuple[object, ...]) -> None:
    assert spelled(text) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("since:24h", ("timestamp", ">=", micros("2026-01-30T12:00:00.000000Z"))),
        ("before:7d", ("timestamp", "<", micros("2026-01-24T12:00:00.000000Z"))),
        ("time>30m", ("timestamp", ">", micros("2026-01-31T11:30:00.000000Z"))),
        ("since:999999d", ("timestamp", ">=", micros("1970-01-01T00:00:00.000000Z"))),
    ],
)
def test_a_span_ends_now(text: str, expected: tuple[object, ...]) -> None:
    [found] = parse_query_bar(text, datetime(2026, 1, 31, 12, tzinfo=UTC))
    assert (found.column, found.operator, found.value) == expected


def test_an_empty_line_asks_for_nothing() -> None:
    assert parse_query_bar("   ") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cost>", "A value is missing after cost>."),
        ("cost>much", "cost needs a number, not 'much'."),
        ("nothing>3", "There is no field 'nothing'."),
        ("host:db-1", "There is no field 'host'."),
        ("status=500", "There is no field 'status'."),
        ("name>3", "name is no number; write name:3."),
        ("-cost:3", "-cost cannot be excluded"),
        ("bookmarked:perhaps", "either true or false"),
        ("time>yesterday", "time needs a time, not 'yesterday'."),
        ("since:yesterday", "since needs a time, not 'yesterday'."),
        ("score.tone>ok", "can only be compared with a number"),
    ],
)
def test_errors_are_one_sentence(text: str, message: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_query_bar(text)
    assert message in caught.value.message


@given(st.text(max_size=60))
def test_any_text_is_understood_or_refused(text: str) -> None:
    try:
        parse_query_bar(text)
    except InvalidRequest as error:
        assert error.message


@given(st.sampled_from(FIELDS), st.sampled_from([":", "<", ">=", "="]), st.text(max_size=20))
def test_any_value_of_a_field_is_understood_or_refused(field: str, operator: str, value: str) -> None:
    try:
        parse_query_bar(f"{field}{operator}{value}")
    except InvalidRequest as error:
        assert error.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("levle:ERROR", "is level meant?"),
        ("-sesion:a", "is session meant?"),
        ("models=gpt-4o", "is model meant?"),
        ('tenant:"two words"', "no field 'tenant'."),
    ],
)
def test_a_field_that_does_not_exist_is_said_and_not_searched_as_text(text: str, said: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_query_bar(text)
    assert said in caught.value.message
    known, _, quoted = caught.value.hint.partition(" As text: ")
    assert all(field in known for field in FIELDS)
    [condition] = parse_query_bar(quoted)
    assert (condition.column, condition.value) == ("search", text.replace('"', ""))


@pytest.mark.parametrize("text", ["https://example.org/a", "12:30", "note:", "a/b:c"])
def test_words_with_colons_are_searched(text: str) -> None:
    [condition] = parse_query_bar(text)
    assert (condition.column, condition.value) == ("search", text)


@pytest.mark.parametrize("text", ["level:BAD", "-level:error,BAD", "type:FOO", "-type:FOO"])
def test_a_word_that_a_field_cannot_have_is_refused_with_those_it_can(text: str) -> None:
    with pytest.raises(
        InvalidRequest, match=r"^(level is one of DEBUG, .*, not BAD|type is one of SPAN, .*, not FOO)\.$"
    ):
        parse_query_bar(text)
