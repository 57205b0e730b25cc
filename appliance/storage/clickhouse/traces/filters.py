"""The filters and orders of traces, and their SQL on aggregated traces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from appliance.errors import InvalidRequest
from appliance.model.filters import SEARCH_COLUMN, Condition
from appliance.storage.clickhouse.queries import render
from appliance.storage.clickhouse.search import Search, traces_with_text
from appliance.storage.clickhouse.where import Binder, FilterColumn, all_of, find_column

OBSERVED: Final = "observed"
"""Source of columns that sum up the observations of a trace."""
SCORED: Final = "scored"
"""Source of columns that sum up the scores of a trace."""

_NAME: Final = FilterColumn("string", "trace.name")
_TAGS: Final = FilterColumn("array", "trace.tags")
_VERSION: Final = FilterColumn("string", "trace.version")
_RELEASE: Final = FilterColumn("string", "trace.release")
_TOKENS: Final = FilterColumn("number", "trace.total_tokens", OBSERVED)

TRACE_COLUMNS: Final[Mapping[str, FilterColumn]] = {
    "id": FilterColumn("string", "trace.id"),
    "traceId": FilterColumn("string", "trace.id"),
    "name": _NAME,
    "traceName": _NAME,
    "timestamp": FilterColumn("datetime", "trace.started"),
    "userId": FilterColumn("string", "trace.user_id"),
    "sessionId": FilterColumn("string", "trace.session_id"),
    "version": _VERSION,
    "traceVersion": _VERSION,
    "release": _RELEASE,
    "traceRelease": _RELEASE,
    "environment": FilterColumn("string", "trace.environment"),
    "metadata": FilterColumn("map", "trace.metadata"),
    "tags": _TAGS,
    "traceTags": _TAGS,
    "bookmarked": FilterColumn("boolean", "trace.bookmarked"),
    "public": FilterColumn("boolean", "trace.public"),
    "level": FilterColumn("string", "trace.top_level", OBSERVED),
    "errorCount": FilterColumn("number", "trace.error_count", OBSERVED),
    "warningCount": FilterColumn("number", "trace.warning_count", OBSERVED),
    "defaultCount": FilterColumn("number", "trace.default_count", OBSERVED),
    "debugCount": FilterColumn("number", "trace.debug_count", OBSERVED),
    "observationCount": FilterColumn("number", "trace.observation_count", OBSERVED),
    "inputTokens": FilterColumn("number", "trace.input_tokens", OBSERVED),
    "outputTokens": FilterColumn("number", "trace.output_tokens", OBSERVED),
    "totalTokens": _TOKENS,
    "tokens": _TOKENS,
    "inputCost": FilterColumn("number", "trace.input_cost", OBSERVED),
    "outputCost": FilterColumn("number", "trace.output_cost", OBSERVED),
    "totalCost": FilterColumn("number", "trace.total_cost", OBSERVED),
    "latency": FilterColumn("number", "trace.span_micros / 1000000", OBSERVED),
    "model": FilterColumn("array", "trace.models", OBSERVED),
    "observationTypes": FilterColumn("array", "trace.types", OBSERVED),
    "scores_avg": FilterColumn("numbers", "scored.numbers", SCORED),
    "score_categories": FilterColumn("categories", "scored.categories", SCORED),
    "score_booleans": FilterColumn("booleans", "scored.booleans", SCORED),
}

ORDERS: Final[Mapping[str, str]] = {
    "id": "trace.id",
    "timestamp": "trace.started",
    "name": "trace.name",
    "userId": "trace.user_id",
    "sessionId": "trace.session_id",
    "release": "trace.release",
    "version": "trace.version",
    "public": "trace.public",
    "bookmarked": "trace.bookmarked",
    "latency": "trace.span_micros",
    "totalCost": "trace.total_cost",
}
"""Columns that a list of traces can be sorted by; the last two are an addition for the terminal UI."""

_OBSERVED_ORDERS: Final = frozenset({"latency", "totalCost"})
# The names that the key `scores` stands for, by the type of its condition.
_SCORE_COLUMNS: Final = {
    "numberObject": "scores_avg",
    "categoryOptions": "score_categories",
    "booleanObject": "score_booleans",
}
_UNKNOWN: Final = Search()
# Columns of a trace that come from one of its parts, with the column of parts; the most selective come first.
_PART_COLUMNS: Final = {
    "trace.session_id": "session_id",
    "trace.user_id": "user_id",
    "trace.tags": "tags",
    "trace.name": "name",
    "trace.version": "version",
    "trace.release": "release",
}
_RARE: Final = frozenset({"session_id"})
"""Columns whose values are shared by few traces, which lie near each other."""
_ABOUT_A_VALUE: Final = frozenset({"=", "contains", "starts with", "ends with"})


@dataclass(slots=True)
class TraceFilter:
    """The SQL of a set of conditions on `PendingTraces.all_traces`; `joins` has the joins that the tests need."""

    binder: Binder
    search: Search = _UNKNOWN
    tests: list[str] = field(default_factory=list)
    sources: set[str] = field(default_factory=set)
    starts: list[Condition] = field(default_factory=list)
    """The conditions on the start, which are among the tests."""
    part_tests: list[tuple[FilterColumn, Condition]] = field(default_factory=list)
    """Tests of parts: a trace that passes the filter has a part that passes each."""

    @property
    def is_time_only(self) -> bool:
        """Whether all conditions are on the start."""
        return len(self.tests) == len(self.starts) and not self.sources

    @property
    def is_observed(self) -> bool:
        """Whether the tests or the order need sums of observations."""
        return OBSERVED in self.sources

    @property
    def where(self) -> str:
        return all_of(self.tests, prefix="WHERE ")

    def part_test(self) -> tuple[str, bool]:
        """A test of parts and of stored aggregates that excludes most traces, and whether few pass it.

        Empty when no condition can be tested on parts.
        """
        if not self.part_tests:
            return "", False
        columns = list(_PART_COLUMNS.values())
        column, condition = min(self.part_tests, key=lambda test: columns.index(test[0].sql))
        return self.binder.test(column, condition), column.sql in _RARE

    def start_tests(self, binder: Binder, column: str = "trace.started") -> str:
        """SQL, with a leading AND, of the conditions on the start, for a column that holds it; empty without any."""
        start = FilterColumn("datetime", column)
        return all_of([binder.test(start, condition) for condition in self.starts], prefix="AND ")

    def joins(self) -> str:
        """The joins that the tests need."""
        if SCORED not in self.sources:
            return ""
        return f"LEFT JOIN ({render('traces', 'scored')}) AS scored ON scored.trace_id = trace.id"


def trace_filter(
    conditions: Iterable[Condition], binder: Binder, *, order_by: str = "timestamp", search: Search = _UNKNOWN
) -> TraceFilter:
    """The SQL of `conditions`, with the results of the search for texts.

    Raises InvalidRequest for unknown columns, types that do not fit, or a wrong order.
    """
    filter = TraceFilter(binder, search)
    if search.since:
        filter.tests.append(f"trace.started >= {binder.time(search.since)}")
    if order_by not in ORDERS:
        raise InvalidRequest(f"Invalid order by column: {order_by}")
    if order_by in _OBSERVED_ORDERS:
        filter.sources.add(OBSERVED)
    for condition in conditions:
        _add(filter, condition)
    return filter


def _add(filter: TraceFilter, condition: Condition) -> None:
    if condition.column == SEARCH_COLUMN:
        filter.tests.append(_search_test(str(condition.value), filter))
        return
    if condition.type == "positionInTrace":
        return
    if condition.column == "scores" and condition.type in _SCORE_COLUMNS:
        column = TRACE_COLUMNS[_SCORE_COLUMNS[condition.type]]
    else:
        column = find_column(TRACE_COLUMNS, condition)
    test = filter.binder.test(column, condition)
    filter.tests.append(test)
    if column.source:
        filter.sources.add(column.source)
    if column.kind == "datetime":
        filter.starts.append(condition)
    if column.sql in _PART_COLUMNS and _needs_a_value(condition):
        # The tags of a trace are the union of those of its parts.
        some = replace(condition, operator="any of") if condition.operator == "all of" else condition
        filter.part_tests.append((FilterColumn(column.kind, _PART_COLUMNS[column.sql]), some))


def _needs_a_value(condition: Condition) -> bool:
    """Whether the condition is false for a trace without a value."""
    if isinstance(condition.value, list):
        return condition.operator in ("any of", "all of") and bool(condition.value) and "" not in condition.value
    return condition.type == "string" and condition.operator in _ABOUT_A_VALUE and bool(condition.value)


def _search_test(text: str, filter: TraceFilter) -> str:
    if (few := filter.search.few.get(text)) is not None:
        return f"trace.id IN {filter.binder.bind(few, 'Array(String)')}"
    return f"trace.id IN ({traces_with_text(text, filter.binder, filter.search.since)})"
