"""The builder of SQL."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import InvalidRequest
from appliance.model.filters import Condition, Value
from appliance.storage.clickhouse.observation_filters import OBSERVATION_COLUMNS, observation_filter
from appliance.storage.clickhouse.queries import load
from appliance.storage.clickhouse.traces.all import PendingTraces
from appliance.storage.clickhouse.traces.filters import TRACE_COLUMNS, trace_filter
from appliance.storage.clickhouse.where import Binder, FilterColumn, find_column, paths_of


def condition(kind: str, operator: str, value: Value = "", key: str = "", column: str = "c") -> Condition:
    return Condition(type=kind, column=column, operator=operator, value=value, key=key)


def test_columns_are_found_by_id_and_by_display_name() -> None:
    for name in ("userId", "User ID", "User Id"):
        assert find_column(TRACE_COLUMNS, condition("string", "=", "x", column=name)) is TRACE_COLUMNS["userId"]
    with pytest.raises(InvalidRequest, match="Column nope does not match a UI / CH table mapping"):
        find_column(TRACE_COLUMNS, condition("string", "=", "x", column="nope"))


def test_conditions_must_fit_their_column() -> None:
    with pytest.raises(InvalidRequest, match="Invalid filter type number for column c"):
        Binder().test(FilterColumn("string", "name"), condition("number", "=", 1))


@given(st.text(min_size=8))
def test_no_value_ever_becomes_sql(value: str) -> None:
    binder = Binder()
    marked = f"{value}§§"
    sql = [
        binder.test(FilterColumn("string", "name"), condition("string", "contains", marked)),
        binder.test(FilterColumn("string", "name"), condition("stringOptions", "any of", [marked])),
        binder.test(FilterColumn("map", "metadata"), condition("stringObject", "=", marked, key=marked)),
        binder.test(FilterColumn("categories", "pairs"), condition("categoryOptions", "any of", [marked], key=marked)),
        trace_filter([condition("string", "contains", marked, column="search")], binder).where,
        observation_filter([condition("string", "contains", marked, column="search")], binder, PendingTraces()).where,
    ]
    assert all("§" not in text for text in sql)


def test_columns_of_traces_and_observations_accept_the_type_they_document() -> None:
    assert {"userId", "tags", "latency", "totalCost", "level", "scores_avg", "metadata"} <= set(TRACE_COLUMNS)
    assert {"startTime", "timeToFirstToken", "toolNames", "promptVersion", "traceName"} <= set(OBSERVATION_COLUMNS)


def test_blocks_are_found_by_name() -> None:
    assert {"merged_parts", "newest", "matching", "parts"} <= set(load("traces"))
    assert "-- name" not in load("traces")["merged_parts"].template


def test_a_key_with_dots_may_be_a_path_into_json() -> None:
    assert paths_of("customer.plan") == [("customer", "plan")]
    assert paths_of("attributes.http.method") == [
        ("attributes.http", "method"),
        ("attributes", "http.method"),
        ("attributes", "http", "method"),
    ]
    assert ("items", 2, "id") in paths_of("items.1.id")
    assert paths_of("a.b.c.d.e.f.g")[0] == ("a.b.c.d", "e.f.g")
    assert all(path[0] for path in paths_of("a.b"))


def test_conditions_on_what_the_trace_says_are_one_look_at_the_traces() -> None:
    """The text of one is long, and ClickHouse bounds the text of a statement."""
    conditions = [condition("string", "=", "x", column=column) for column in ("userId", "traceName", "sessionId")]
    made = observation_filter(conditions, Binder(), PendingTraces())
    assert made.where.count("folded_traces") == 1
