"""The filters of observations; columns of the trace are looked up in the aggregated trace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from appliance.model.filters import SEARCH_COLUMN, Condition
from appliance.storage.clickhouse.queries import render
from appliance.storage.clickhouse.search import observation_contains
from appliance.storage.clickhouse.traces.all import PendingTraces
from appliance.storage.clickhouse.traces.filters import trace_filter
from appliance.storage.clickhouse.where import Binder, FilterColumn, all_of, find_column

_WIDE: Final = "observations"
_SECONDS: Final = "dateDiff('microsecond', start_time, {0}) / 1000000"
_TRACE: Final = "trace"


def sum_of(details: str, word: str) -> str:
    """SQL of the sum of a usage or cost map's entries whose key contains `word`."""
    return f"arraySum(mapValues(mapFilter((k, v) -> positionCaseInsensitive(k, '{word}') > 0, {details})))"


_MODEL: Final = FilterColumn("string", "model")
_TAGS: Final = FilterColumn("array", "tags", _TRACE)
_TOKENS: Final = FilterColumn("number", "usage_details['total']")

OBSERVATION_COLUMNS: Final[Mapping[str, FilterColumn]] = {
    "id": FilterColumn("string", "id"),
    "name": FilterColumn("string", "name"),
    "type": FilterColumn("string", "type"),
    "traceId": FilterColumn("string", "trace_id"),
    "parentObservationId": FilterColumn("string", "parent_id"),
    "isRootObservation": FilterColumn("boolean", "(parent_id = '' OR is_app_root)"),
    "environment": FilterColumn("string", "environment"),
    "startTime": FilterColumn("datetime", "start_time"),
    "endTime": FilterColumn("datetime", "end_time"),
    "timeToFirstToken": FilterColumn("number", _SECONDS.format("completion_start_time")),
    "latency": FilterColumn("number", _SECONDS.format("end_time")),
    "tokensPerSecond": FilterColumn(
        "number", f"{sum_of('usage_details', 'output')} / nullIf({_SECONDS.format('end_time')}, 0)"
    ),
    "inputCost": FilterColumn("number", sum_of("cost_details", "input")),
    "outputCost": FilterColumn("number", sum_of("cost_details", "output")),
    "totalCost": FilterColumn("number", "total_cost"),
    "inputTokens": FilterColumn("number", sum_of("usage_details", "input")),
    "outputTokens": FilterColumn("number", sum_of("usage_details", "output")),
    "totalTokens": _TOKENS,
    "tokens": _TOKENS,
    "level": FilterColumn("string", "level"),
    "statusMessage": FilterColumn("string", "status_message"),
    "model": _MODEL,
    "providedModelName": _MODEL,
    "modelId": FilterColumn("string", "model_id"),
    "version": FilterColumn("string", "version"),
    "release": FilterColumn("string", "release", _TRACE),
    "promptName": FilterColumn("string", "prompt_name"),
    "promptVersion": FilterColumn("number", "prompt_version"),
    "toolNames": FilterColumn("array", "tool_names"),
    "calledToolNames": FilterColumn("array", "tool_call_names"),
    "toolDefinitions": FilterColumn("number", "length(tool_names)"),
    "toolCalls": FilterColumn("number", "length(tool_call_names)"),
    "metadata": FilterColumn("map", "metadata", _WIDE),
    "input": FilterColumn("string", "input", _WIDE),
    "output": FilterColumn("string", "output", _WIDE),
    "traceName": FilterColumn("string", "trace_name", _TRACE),
    "traceRelease": FilterColumn("string", "release", _TRACE),
    "traceVersion": FilterColumn("string", "version", _TRACE),
    "userId": FilterColumn("string", "user_id", _TRACE),
    "sessionId": FilterColumn("string", "session_id", _TRACE),
    "tags": _TAGS,
    "traceTags": _TAGS,
}


@dataclass(slots=True)
class ObservationFilter:
    """The SQL of a set of conditions on the narrow table; tests of whole texts read the wide one."""

    tests: list[str] = field(default_factory=list)
    wide_tests: list[str] = field(default_factory=list)
    times: list[str] = field(default_factory=list)
    """The tests that bound the start, which the wide table is read with, too."""

    @property
    def where(self) -> str:
        tests = list(self.tests)
        if self.wide_tests:
            inside = all_of([*self.times, *self.wide_tests], prefix="AND ")
            tests.append(render("observations", "in_wide", where=inside))
        return all_of(tests, prefix="AND ")


def asks_traces(conditions: Iterable[Condition]) -> bool:
    """Whether a condition is about the trace; raises InvalidRequest for unknown columns."""
    return any(find_column(OBSERVATION_COLUMNS, each).source == _TRACE for each in conditions if _is_column(each))


def _is_column(condition: Condition) -> bool:
    return condition.column != SEARCH_COLUMN and condition.type != "positionInTrace"


def observation_filter(conditions: Iterable[Condition], binder: Binder, pending: PendingTraces) -> ObservationFilter:
    """The SQL of `conditions`; raises InvalidRequest for unknown columns and types that do not fit."""
    filter = ObservationFilter()
    of_trace = []
    for condition in conditions:
        if condition.column == SEARCH_COLUMN:
            filter.wide_tests.append(observation_contains(str(condition.value), binder))
        elif condition.type == "positionInTrace":
            continue
        elif find_column(OBSERVATION_COLUMNS, condition).source == _TRACE:
            of_trace.append(condition)
        else:
            _add(filter, condition, binder)
    if of_trace:
        filter.tests.append(through_trace(of_trace, binder, pending))
    return filter


def _add(filter: ObservationFilter, condition: Condition, binder: Binder) -> None:
    column = find_column(OBSERVATION_COLUMNS, condition)
    test = binder.test(column, condition)
    (filter.wide_tests if column.source == _WIDE else filter.tests).append(test)
    if column.sql == "start_time":
        filter.times.append(test)


def through_trace(conditions: Iterable[Condition], binder: Binder, pending: PendingTraces) -> str:
    """A test of `trace_id` by the aggregated trace; one for all conditions, as its SQL is long."""
    by_trace = trace_filter(conditions, binder)
    return render(
        "observations",
        "through_trace",
        all=pending.all_traces(binder, observed=by_trace.is_observed),
        joins=by_trace.joins(),
        where=by_trace.where,
    )
