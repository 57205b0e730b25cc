"""The metrics engine: builds one statement for a query out of the views' closed lists of fields."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from appliance.errors import InvalidRequest
from appliance.model.filters import Condition
from appliance.model.metrics import NON_NUMERIC_AGGREGATIONS, TIME_DIMENSION, Metric, MetricsQuery, default_order
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.metric_views import (
    METRIC_VIEWS,
    OBSERVATION,
    OBSERVATION_SCORES,
    SCORE_TYPES,
    TRACE,
    Field,
    View,
)
from appliance.storage.clickhouse.observation_filters import (
    ObservationFilter,
    asks_traces,
    observation_filter,
    through_trace,
)
from appliance.storage.clickhouse.queries import render
from appliance.storage.clickhouse.scores import score_tests
from appliance.storage.clickhouse.time_slices import slices_of
from appliance.storage.clickhouse.traces.all import PendingTraces, read_pending_traces
from appliance.storage.clickhouse.traces.filters import trace_filter
from appliance.storage.clickhouse.traces.time_bounds import TimeBounds
from appliance.storage.clickhouse.where import Binder, all_of

_SETTINGS: Final = {"prefer_column_name_to_alias": 1}
_MOST_ROWS: Final = 50_000
# Not toStartOfHour and the like, whose times end in 2106 and whose days end in 2149.
_BUCKETS: Final = {
    "minute": ("toDateTime64(intDiv(toUnixTimestamp64Micro({0}), 60000000) * 60, 0, 'UTC')", "MINUTE"),
    "hour": ("toDateTime64(intDiv(toUnixTimestamp64Micro({0}), 3600000000) * 3600, 0, 'UTC')", "HOUR"),
    "day": ("toDate32({0})", "DAY"),
    "week": ("subtractDays(toDate32({0}), toDayOfWeek({0}) - 1)", "WEEK"),
    "month": ("makeDate32(toYear({0}), toMonth({0}), 1)", "MONTH"),
}
_QUANTILES: Final = {"p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99}


@dataclass(slots=True)
class _Statement:
    """A statement being built: aliases are positions, so that no name of a client ever becomes SQL."""

    query: MetricsQuery
    view: View
    binder: Binder
    pending: PendingTraces
    slices: list[TimeBounds]
    """The range of time, in the slices that observations are read in."""
    columns: list[str] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)
    sources: set[str] = field(default_factory=set)

    def add(self, name: str, sql: str, source: str, prefix: str) -> None:
        if name in self.aliases:
            return
        alias = f"{prefix}{len(self.aliases)}"
        self.aliases[name] = alias
        self.columns.append(f"{sql} AS {alias}")
        if source:
            self.sources.add(source)


async def run(clickhouse: ClickHouse, project_id: str, query: MetricsQuery) -> list[dict[str, Any]]:
    """The rows of the answer: dimensions, `time_dimension` and metrics by name.

    Latencies are in milliseconds, costs in USD. Raises InvalidRequest for unknown fields, QueryTooExpensive,
    StoreUnavailable.
    """
    pending, slices = await asyncio.gather(read_pending_traces(clickhouse, project_id), _slices(clickhouse, query))
    statement = _Statement(query, METRIC_VIEWS[query.view], Binder({"project_id": project_id}), pending, slices)
    _add_columns(statement)
    order = _order(statement)
    sql = _assembled(statement, order)
    statement.binder.params["row_limit"] = query.row_limit or _MOST_ROWS
    rows: list[dict[str, Any]] = await clickhouse.rows(sql, statement.binder.params, dict, settings=_SETTINGS)
    return [{name: _shown(name, row[alias]) for name, alias in statement.aliases.items()} for row in rows]


async def _slices(clickhouse: ClickHouse, query: MetricsQuery) -> list[TimeBounds]:
    if query.view != "observations" or asks_traces(query.conditions):
        return [TimeBounds(query.since, query.until)]
    return await slices_of(clickhouse, query.since, query.until)


def _shown(name: str, value: Any) -> Any:
    if name == TIME_DIMENSION and isinstance(value, str) and " " in value:
        return value.replace(" ", "T") + "Z"
    return value


def _add_columns(statement: _Statement) -> None:
    query, view = statement.query, statement.view
    if query.granularity is not None:
        bucket, _ = _BUCKETS[query.granularity]
        statement.add(TIME_DIMENSION, bucket.format(view.time), "", "t")
    for name in query.dimensions:
        dimension = view.dimensions.get(name)
        if dimension is None:
            raise InvalidRequest(f"Invalid dimension {name}. Must be one of {', '.join(view.dimensions)}")
        statement.add(name, dimension.sql, dimension.source, "d")
    for metric in query.metrics:
        measure = view.measures.get(metric.measure)
        if measure is None:
            raise InvalidRequest(f"Invalid measure {metric.measure}. Must be one of {', '.join(view.measures)}")
        statement.add(metric.name, _aggregate(metric, measure, query.bins), measure.source, "m")


def _aggregate(metric: Metric, measure: Field, bins: int) -> str:
    how, sql = metric.aggregation, measure.sql
    if not measure.is_number:
        if how not in NON_NUMERIC_AGGREGATIONS:
            raise InvalidRequest(f"Aggregation {how} does not fit {metric.measure}: only count and uniq do")
        return f"uniq({sql})"
    if how in _QUANTILES:
        return f"toNullable(quantile({_QUANTILES[how]})(toFloat64({sql})))"
    if how == "histogram":
        return f"histogram({int(bins)})(toFloat64({sql}))"
    if how == "sum":
        # Costs are decimals, so their sum is exact.
        return f"ifNull(toFloat64(sum({sql})), 0)"
    # Nullable, so that an empty bucket of time is null rather than 0.
    return f"toNullable(toFloat64({how}({sql})))" if how in ("avg", "max", "min") else f"{how}({sql})"


def _order(statement: _Statement) -> str:
    query = statement.query
    if query.granularity is not None and not query.order_by:
        bucket, unit = _BUCKETS[query.granularity]
        first = bucket.format(statement.binder.time(query.since))
        last = bucket.format(statement.binder.time(query.until))
        filled = f"WITH FILL FROM {first} TO {last} + INTERVAL 1 {unit} STEP INTERVAL 1 {unit}"
        return f"{statement.aliases[TIME_DIMENSION]} ASC {filled}"
    fields = []
    for name, descending in query.order_by or default_order(query):
        if name not in statement.aliases:
            raise InvalidRequest(f"Invalid orderBy field {name}. Must be one of {', '.join(statement.aliases)}")
        fields.append(f"{statement.aliases[name]} {'DESC' if descending else 'ASC'}")
    return ", ".join(fields)


def _assembled(statement: _Statement, order: str) -> str:
    query = statement.query
    if query.view == "traces":
        rows, joins, where = _trace_rows(statement)
    else:
        rows = _observation_rows(statement) if query.view == "observations" else _score_rows(statement)
        joins, where = _joins(statement), ""
    groups = [alias for alias in statement.aliases.values() if not alias.startswith("m")]
    return render(
        "metrics",
        "aggregate",
        columns=", ".join(statement.columns),
        rows=rows,
        joins=joins,
        where=where,
        group="GROUP BY " + ", ".join(groups) if groups else "",
        order=order,
    )


def _range(column: str, query: MetricsQuery, binder: Binder) -> list[str]:
    return [f"{column} >= {binder.time(query.since)}", f"{column} <= {binder.time(query.until)}"]


def _trace_rows(statement: _Statement) -> tuple[str, str, str]:
    query, binder = statement.query, statement.binder
    filter = trace_filter(query.conditions, binder)
    filter.sources |= statement.sources
    filter.tests += _range("trace.started", query, binder)
    return f"({statement.pending.all_traces(binder)}) AS trace", filter.joins(), filter.where


def _observation_rows(statement: _Statement) -> str:
    query, binder = statement.query, statement.binder
    filter = observation_filter(query.conditions, binder, statement.pending)
    # Every slice would repeat the search for the texts.
    slices = [TimeBounds(query.since, query.until)] if filter.wide_tests else statement.slices
    selects = []
    for time_slice in slices:
        bounds = [f"start_time >= {binder.time(time_slice.first)}", f"start_time <= {binder.time(time_slice.last)}"]
        within = ObservationFilter([*filter.tests, *bounds], filter.wide_tests, [*filter.times, *bounds])
        selects.append(render("metrics", "observation_rows", where=within.where))
    return f"({' UNION ALL '.join(selects)}) AS item"


def _score_rows(statement: _Statement) -> str:
    query, binder = statement.query, statement.binder
    tests = score_tests(query.conditions, binder, statement.pending)
    kinds = binder.bind(SCORE_TYPES[query.view], "Array(String)")
    tests += [f"data_type IN {kinds}", *_range("timestamp", query, binder)]
    return render("metrics", "score_rows", where=all_of(tests, prefix="AND "))


def _joins(statement: _Statement) -> str:
    joins = []
    since = statement.binder.time(statement.query.since)
    if TRACE in statement.sources:
        joins.append(render("metrics", "join_trace", all=statement.pending.all_traces(statement.binder)))
    if OBSERVATION in statement.sources:
        joins.append(render("metrics", "join_observation", since=since))
    if OBSERVATION_SCORES in statement.sources:
        joins.append(render("metrics", "join_observation_scores"))
    return "\n".join(joins)


@dataclass(slots=True)
class DailyUsage:
    """One model on one day; usage in tokens, cost in USD."""

    day: str
    model_name: str | None
    input_usage: float
    output_usage: float
    total_usage: float
    cost: float
    observation_count: int
    trace_count: int


@dataclass(slots=True)
class DailyTraces:
    """How many traces began on a day."""

    day: str
    trace_count: int


async def daily(
    clickhouse: ClickHouse,
    project_id: str,
    *,
    observation_conditions: Sequence[Condition],
    trace_conditions: Sequence[Condition],
) -> tuple[list[DailyUsage], list[DailyTraces]]:
    """Usage by day and model, newest day first, and the traces of each day. Raises as `run`."""
    pending = await read_pending_traces(clickhouse, project_id)
    binder = Binder({"project_id": project_id})
    times = [each for each in observation_conditions if each.column == "startTime"]
    of_trace = [each for each in observation_conditions if each.column != "startTime"]
    filter = observation_filter(times, binder, pending)
    if of_trace:
        filter.tests.append(through_trace(of_trace, binder, pending))
    usage = await clickhouse.rows(
        render("metrics", "daily_models", where=filter.where), binder.params, DailyUsage, settings=_SETTINGS
    )
    binder = Binder({"project_id": project_id})
    traces = trace_filter(trace_conditions, binder)
    all_traces = pending.all_traces(binder)
    sql = render("metrics", "daily_traces", all=all_traces, joins=traces.joins(), where=traces.where)
    return usage, await clickhouse.rows(sql, binder.params, DailyTraces, settings=_SETTINGS)
