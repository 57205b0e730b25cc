"""The home screen's figures: which metrics to ask for, and what their rows mean; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from appliance.model import format
from tui.model.timerange import TimeRange, iso

Rows = Sequence[Mapping[str, Any]]

CHART_LEVELS: Final = ("DEFAULT", "WARNING", "ERROR", "DEBUG")
MOST_MODELS: Final = 5
MOST_NAMES: Final = 12


class Tile(msgspec.Struct, frozen=True):
    """One figure with its change against the period before and its course."""

    title: str
    value: str
    change: str = ""
    better: bool | None = None
    """Whether the change is good; None when it is neither."""
    course: list[float] = msgspec.field(default_factory=list)


class Latency(msgspec.Struct, frozen=True):
    """Latency percentiles of traces of one name, seconds."""

    name: str
    count: int
    p50: float
    p90: float
    p95: float
    p99: float


class Overview(msgspec.Struct, frozen=True):
    """Everything the home screen shows."""

    tiles: list[Tile]
    start: datetime
    end: datetime
    levels: dict[str, list[float]]
    """Observations by level, one value per bucket."""
    costs: dict[str, list[float]]
    """USD by model, one value per bucket; the biggest spender first, the small ones as `others`."""
    latencies: list[Latency]


def overview_queries(span: TimeRange, now: datetime) -> dict[str, dict[str, Any]]:
    """The metrics queries by name."""
    start, before = now - span.span, now - 2 * span.span
    totals = [("totalTokens", "sum"), ("totalCost", "sum")]
    percentiles = [("latency", f"p{p}") for p in (50, 90, 95, 99)]
    traces, observations = [("count", "count"), ("latency", "p95")], [("count", "count"), *totals]
    bucket = span.granularity
    return {
        "traces": _query("traces", [], traces, start, now),
        "traces_before": _query("traces", [], traces, before, start),
        "traces_course": _query("traces", [], traces, start, now, bucket),
        "levels": _query("observations", ["level"], observations, start, now),
        "levels_before": _query("observations", ["level"], observations, before, start),
        "levels_course": _query("observations", ["level"], observations, start, now, bucket),
        "models": _query("observations", ["providedModelName"], [("totalCost", "sum")], start, now, bucket),
        "names": _query("traces", ["name"], [("count", "count"), *percentiles], start, now),
    }


def _query(
    view: str, dimensions: list[str], metrics: list[tuple[str, str]], start: datetime, end: datetime, bucket: str = ""
) -> dict[str, Any]:
    return {
        "view": view,
        "dimensions": [{"field": name} for name in dimensions],
        "metrics": [{"measure": measure, "aggregation": aggregation} for measure, aggregation in metrics],
        "filters": [],
        "timeDimension": {"granularity": bucket} if bucket else None,
        "fromTimestamp": iso(start),
        "toTimestamp": iso(end),
        "orderBy": None,
    }


def aggregate_overview(answers: Mapping[str, Rows], span: TimeRange, now: datetime) -> Overview:
    """The home screen's figures from the answers to `overview_queries`."""
    start = now - span.span
    course = _Course(start, now, span.bucket)
    levels = course.by(answers["levels_course"], "level", "count_count")
    return Overview(
        tiles=_tiles(answers, course, levels),
        start=start,
        end=now,
        levels={level: levels[level] for level in CHART_LEVELS if level in levels},
        costs=_biggest(course.by(answers["models"], "providedModelName", "sum_totalCost")),
        latencies=_latencies(answers["names"]),
    )


def _tiles(answers: Mapping[str, Rows], course: _Course, levels: dict[str, list[float]]) -> list[Tile]:
    traces, traces_before = _sum(answers["traces"], "count_count"), _sum(answers["traces_before"], "count_count")
    seen, seen_before = _sum(answers["levels"], "count_count"), _sum(answers["levels_before"], "count_count")
    tokens, tokens_before = (_sum(answers[key], "sum_totalTokens") for key in ("levels", "levels_before"))
    usd, usd_before = (_sum(answers[key], "sum_totalCost") for key in ("levels", "levels_before"))
    errors, errors_before = _error_rate(answers["levels"]), _error_rate(answers["levels_before"])
    slow, slow_before = (_sum(answers[key], "p95_latency") / 1000 for key in ("traces", "traces_before"))
    rows, trace_rows = answers["levels_course"], answers["traces_course"]
    return [
        _tile("Traces", format.count, traces, traces_before, course.all(trace_rows, "count_count")),
        _tile("Observations", format.count, seen, seen_before, course.all(rows, "count_count")),
        _tile("Tokens", format.count, tokens, tokens_before, course.all(rows, "sum_totalTokens")),
        _tile("Cost", format.cost, usd, usd_before, course.all(rows, "sum_totalCost"), less_is_better=True),
        _tile("Error rate", format.percent, errors, errors_before, levels.get("ERROR", []), less_is_better=True),
        _tile(
            "p95 latency",
            format.duration,
            slow,
            slow_before,
            course.all(trace_rows, "p95_latency"),
            less_is_better=True,
        ),
    ]


def _tile(
    title: str,
    show: Callable[[float], str],
    now: float,
    before: float,
    course: list[float],
    *,
    less_is_better: bool = False,
) -> Tile:
    better = now < before if less_is_better and before and abs(now / before - 1) >= 0.005 else None
    return Tile(title, show(now), format.change(now, before), better, course)


def _error_rate(rows: Rows) -> float:
    total = _sum(rows, "count_count")
    return sum(number(row.get("count_count")) for row in rows if row.get("level") == "ERROR") / total if total else 0.0


def _latencies(rows: Rows) -> list[Latency]:
    latencies = [
        Latency(
            str(row.get("name") or "unnamed"),
            int(number(row.get("count_count"))),
            *(number(row.get(f"p{p}_latency")) / 1000 for p in (50, 90, 95, 99)),
        )
        for row in rows
    ]
    return sorted(latencies, key=lambda one: -one.count)[:MOST_NAMES]


def _biggest(series: dict[str, list[float]]) -> dict[str, list[float]]:
    spent = {name: values for name, values in series.items() if sum(values) > 0}
    ordered = sorted(spent, key=lambda name: -sum(spent[name]))
    shown = {name: spent[name] for name in ordered[:MOST_MODELS]}
    if rest := ordered[MOST_MODELS:]:
        shown["others"] = [sum(values) for values in zip(*(spent[name] for name in rest), strict=True)]
    return shown


def _sum(rows: Rows, column: str) -> float:
    return sum(number(row.get(column)) for row in rows)


def number(value: Any) -> float:
    """A figure of a metrics row: 64-bit integers come as strings, nothing as null."""
    try:
        return float(value or 0)
    except (TypeError, ValueError):
        return 0.0


class _Course:
    """Places rows with a `time_dimension` into the buckets of a window."""

    def __init__(self, start: datetime, end: datetime, bucket: timedelta) -> None:
        self._bucket = bucket.total_seconds()
        self._first = int(start.timestamp() // self._bucket)
        self._length = int(end.timestamp() // self._bucket) - self._first + 1

    def all(self, rows: Rows, column: str) -> list[float]:
        """One value per bucket, over every row."""
        values = [0.0] * self._length
        for row in rows:
            if (place := self._place(row.get("time_dimension"))) is not None:
                values[place] += number(row.get(column))
        return values

    def by(self, rows: Rows, dimension: str, column: str) -> dict[str, list[float]]:
        """One value per bucket for each value of a dimension."""
        groups: dict[str, list[Mapping[str, Any]]] = {}
        for row in rows:
            if row.get(dimension):
                groups.setdefault(str(row[dimension]), []).append(row)
        return {name: self.all(group, column) for name, group in groups.items()}

    def _place(self, value: Any) -> int | None:
        if not isinstance(value, str):
            return None
        moment = datetime.fromisoformat(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        place = int(moment.timestamp() // self._bucket) - self._first
        return place if 0 <= place < self._length else None
