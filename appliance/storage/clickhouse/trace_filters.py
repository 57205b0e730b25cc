"""What of a trace can be filtered and sorted, and how a filter becomes the SQL of a folded trace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from appliance.errors import InvalidRequest
from appliance.model.filters import Condition
from appliance.model.query_bar import SEARCH_COLUMN
from appliance.storage.clickhouse.queries import render
from appliance.storage.clickhouse.where import Binder, Column, all_of, find_column

OBSERVED: Final = "observed"
"""Source of what the observations of a trace add up to."""
SCORED: Final = "scored"
"""Source of what the scores of a trace say."""


def _observed(name: str) -> Column:
    return Column("number", f"observed.{name}", OBSERVED)


_NAME: Final = Column("string", "fold_name", hint="ifNull(name, '')")
_TAGS: Final = Column("array", "fold_tags", hint="tags")
_VERSION: Final = Column("string", "fold_version", hint="ifNull(version, '')")
_RELEASE: Final = Column("string", "fold_release", hint="ifNull(release, '')")
_TOKENS: Final = _observed("total_tokens")

TRACE_COLUMNS: Final[Mapping[str, Column]] = {
    "id": Column("string", "trace.id", hint="id"),
    "traceId": Column("string", "trace.id", hint="id"),
    "name": _NAME,
    "traceName": _NAME,
    "timestamp": Column("datetime", "started"),
    "userId": Column("string", "fold_user", hint="ifNull(user_id, '')"),
    "sessionId": Column("string", "fold_session", hint="ifNull(session_id, '')"),
    "version": _VERSION,
    "traceVersion": _VERSION,
    "release": _RELEASE,
    "traceRelease": _RELEASE,
    "environment": Column("string", "fold_environment", hint="environment"),
    "metadata": Column("map", "fold_metadata", hint="metadata"),
    "tags": _TAGS,
    "traceTags": _TAGS,
    "bookmarked": Column("boolean", "fold_bookmarked"),
    "public": Column("boolean", "fold_public"),
    "level": Column("string", "observed.top_level", OBSERVED),
    "errorCount": _observed("error_count"),
    "warningCount": _observed("warning_count"),
    "defaultCount": _observed("default_count"),
    "debugCount": _observed("debug_count"),
    "observationCount": _observed("observation_count"),
    "inputTokens": _observed("input_tokens"),
    "outputTokens": _observed("output_tokens"),
    "totalTokens": _TOKENS,
    "tokens": _TOKENS,
    "inputCost": _observed("input_cost"),
    "outputCost": _observed("output_cost"),
    "totalCost": _observed("total_cost"),
    "latency": Column("number", "observed.span_micros / 1000000", OBSERVED),
    "model": Column("array", "observed.models", OBSERVED, hint="model"),
    "observationTypes": Column("array", "observed.types", OBSERVED, hint="type"),
    "scores_avg": Column("numbers", "scored.numbers", SCORED),
    "score_categories": Column("categories", "scored.categories", SCORED),
    "score_booleans": Column("booleans", "scored.booleans", SCORED),
}

ORDERS: Final[Mapping[str, str]] = {
    "id": "trace.id",
    "timestamp": "started",
    "name": "fold_name",
    "userId": "fold_user",
    "sessionId": "fold_session",
    "release": "fold_release",
    "version": "fold_version",
    "public": "fold_public",
    "bookmarked": "fold_bookmarked",
    "latency": "observed.span_micros",
    "totalCost": "observed.total_cost",
}
"""What a list of traces can be sorted by (the last two only here, for the terminal)."""

# The names that the key `scores` stands for, by the type of its condition.
_SCORE_COLUMNS: Final = {
    "numberObject": "scores_avg",
    "categoryOptions": "score_categories",
    "booleanObject": "score_booleans",
}
_EQUAL: Final = frozenset({"=", "any of"})
_POSITIVE: Final = frozenset({"=", "contains", "starts with", "ends with", "any of", "all of"})


@dataclass(slots=True)
class TraceFilter:
    """The SQL of a set of conditions: candidates narrow what is folded, tests decide on the folded trace."""

    binder: Binder
    tests: list[str] = field(default_factory=list)
    sources: set[str] = field(default_factory=set)
    candidates: list[str] = field(default_factory=list)
    starts: list[str] = field(default_factory=list)
    """Bounds on the rows of trace_parts that a time range allows, a day wider than the range."""
    exact_starts: list[str] = field(default_factory=list)
    since: str = ""
    """Lower bound of the time range as SQL, when there is one."""

    @property
    def is_time_only(self) -> bool:
        """Whether no condition but the time range was asked for."""
        return len(self.tests) == len(self.exact_starts) and not self.sources and not self.candidates

    @property
    def where(self) -> str:
        return all_of(self.tests, prefix="WHERE ")

    def fold(self) -> str:
        """The subquery of all folded traces that could fulfil the filter."""
        inside = [f"id IN ({ids})" for ids in self.candidates]
        return render("traces", "fold", bounds=all_of([*self.starts, *inside], prefix="AND "))

    def joins(self) -> str:
        """The joins that the tests need."""
        inside = [f"trace_id IN ({ids})" for ids in self.candidates]
        if self.since:
            inside.append(f"start_time >= {self.since} - INTERVAL 1 HOUR")
        joins = []
        if OBSERVED in self.sources:
            observed = render("traces", "observed", bounds=all_of(inside, prefix="AND "))
            joins.append(f"LEFT JOIN ({observed}) AS observed ON observed.trace_id = trace.id")
        if SCORED in self.sources:
            joins.append(f"LEFT JOIN ({render('traces', 'scored')}) AS scored ON scored.trace_id = trace.id")
        return "\n".join(joins)


def trace_filter(conditions: Iterable[Condition], binder: Binder, *, order_by: str = "timestamp") -> TraceFilter:
    """The SQL of `conditions`; raises InvalidRequest for unknown columns, types that do not fit, or a wrong order."""
    made = TraceFilter(binder)
    if order_by not in ORDERS:
        raise InvalidRequest(f"Invalid order by column: {order_by}")
    if ORDERS[order_by].startswith("observed."):
        made.sources.add(OBSERVED)
    for condition in conditions:
        _add(made, condition)
    return made


def _add(made: TraceFilter, condition: Condition) -> None:
    if condition.column == SEARCH_COLUMN:
        text = str(condition.value)
        bound, lowered = made.binder.bind(text), made.binder.bind(text.lower())
        made.candidates.append(render("traces", "search", text=bound, lowered=lowered))
        return
    if condition.type == "positionInTrace":
        return
    if condition.column == "scores" and condition.type in _SCORE_COLUMNS:
        column = TRACE_COLUMNS[_SCORE_COLUMNS[condition.type]]
    else:
        column = find_column(TRACE_COLUMNS, condition)
    if column.source == OBSERVED and (had := _had(condition, column, made.binder)):
        made.candidates.append(had)
        return
    test = made.binder.test(column, condition)
    made.tests.append(test)
    if column.source:
        made.sources.add(column.source)
    if column.kind == "datetime":
        _bound_starts(made, condition, test)
    if column.hint and not column.source and _needs_a_row(condition):
        hint = made.binder.test(Column(column.kind, column.hint), condition)
        made.candidates.append(render("traces", "said", test=hint))


def _had(condition: Condition, column: Column, binder: Binder) -> str:
    """The traces that had at least one such observation, when that is all that the condition asks; else empty."""
    if condition.operator == "any of" and column.hint:
        return render("traces", "had", test=binder.test(Column("string", column.hint), _as_options(condition)))
    if (
        condition.column in ("level", "Level")
        and condition.value in ("ERROR", ["ERROR"])
        and condition.operator in _EQUAL
    ):
        return render("traces", "had", test="level = 'ERROR'")
    return ""


def _as_options(condition: Condition) -> Condition:
    return replace(condition, type="stringOptions")


def _bound_starts(made: TraceFilter, condition: Condition, test: str) -> None:
    made.exact_starts.append(test)
    bound = test.rpartition(f" {condition.operator} ")[2]
    if condition.operator in (">", ">="):
        made.starts.append(f"timestamp >= {bound} - INTERVAL 1 DAY")
        made.since = made.since or bound
    elif condition.operator in ("<", "<="):
        made.starts.append(f"timestamp <= {bound} + INTERVAL 1 DAY")


def _needs_a_row(condition: Condition) -> bool:
    """Whether no trace can fulfil the condition without a part that fulfils it by itself."""
    positive = condition.type == "numberObject" or condition.operator in _POSITIVE
    return positive and not _means_absence(condition)


def _means_absence(condition: Condition) -> bool:
    """Whether a trace of which nothing was said fulfils the condition, so that rows cannot tell."""
    values = condition.value if isinstance(condition.value, list) else [condition.value]
    several = condition.operator == "all of" and len(values) > 1
    return several or any(value in ("", "default") for value in values)
