"""Pages of traces with totals of their observations, and single traces with observations and scores."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from appliance.model.observations import Observation
from appliance.model.scores import Score
from appliance.model.traces import Trace, TracePart, aggregate_parts
from appliance.storage.clickhouse import observations, scores
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.observations import ObservationKey, ObservationQuery
from appliance.storage.clickhouse.traces.detail import (
    TraceKey,
    bounds_by_trace,
    read_parts,
    read_score_ids,
    read_totals,
)
from appliance.storage.clickhouse.traces.pages import TraceListQuery, find_page
from appliance.storage.clickhouse.traces.time_bounds import time_bounds_of

FIELD_GROUPS: Final = frozenset({"core", "io", "scores", "observations", "metrics"})
_MICROS: Final = 1_000_000
_SUMMED: Final = frozenset({"total_cost"})
_TEXTS: Final = frozenset({"input", "output"})


@dataclass(slots=True, kw_only=True)
class TraceItem:
    """A trace of a list; ids are empty unless requested."""

    trace: Trace
    observation_ids: list[str] = field(default_factory=list)
    score_ids: list[str] = field(default_factory=list)
    latency_s: float = 0.0
    """From the first start to the last end or start of its observations, seconds."""
    total_cost: float = 0.0
    """USD."""


@dataclass(slots=True, kw_only=True)
class WholeTrace:
    """A trace with all its observations (oldest first) and scores, which are empty unless requested."""

    trace: Trace
    observations: list[Observation] = field(default_factory=list)
    scores: list[Score] = field(default_factory=list)
    latency_s: float = 0.0
    total_cost: float = 0.0


async def list_traces(
    clickhouse: ClickHouse, query: TraceListQuery, groups: frozenset[str] = FIELD_GROUPS
) -> tuple[list[TraceItem], int]:
    """A page of traces and how many there are on all pages.

    Raises InvalidRequest for a bad filter or order, QueryTooExpensive, StoreUnavailable.
    """
    page = await find_page(clickhouse, query)
    items, total = await asyncio.gather(read_items(clickhouse, query.project_id, page.keys, groups), page.total())
    return items, total


async def read_items(
    clickhouse: ClickHouse, project_id: str, keys: Sequence[TraceKey], groups: frozenset[str]
) -> list[TraceItem]:
    """The traces of `keys` in their order, with the requested groups of fields."""
    ids = [key.id for key in keys]
    parts, totals, score_ids = await asyncio.gather(
        read_parts(clickhouse, project_id, ids, with_texts="io" in groups, time_bounds=bounds_by_trace(keys)),
        read_totals(clickhouse, project_id, keys if groups & {"observations", "metrics"} else []),
        read_score_ids(clickhouse, project_id, ids if "scores" in groups else []),
    )
    items = [TraceItem(trace=aggregate_parts(parts[key.id])) for key in keys if key.id in parts]
    if "io" in groups:
        await _add_texts(clickhouse, [item.trace for item in items])
    for item in items:
        item.score_ids = score_ids.get(item.trace.id, [])
        if (total := totals.get(item.trace.id)) is not None:
            item.observation_ids = total.observation_ids
            end = max(total.last_start, total.last_end or total.last_start)
            item.latency_s = round((end - total.first_start) / _MICROS, 3)
            item.total_cost = total.total_cost
    return items


async def traces_by_id(clickhouse: ClickHouse, project_id: str, ids: Iterable[str]) -> dict[str, Trace]:
    """The traces of these ids that exist, without their texts."""
    parts = await read_parts(clickhouse, project_id, sorted(set(ids)), with_texts=False)
    return {trace_id: aggregate_parts(of_trace) for trace_id, of_trace in parts.items()}


async def _add_texts(
    clickhouse: ClickHouse, traces: Sequence[Trace], rows: Sequence[Observation] | None = None
) -> None:
    """Add the input and output that only the topmost spans of traces have; `rows` are read unless given."""
    lacking = [(trace, trace.topmost) for trace in traces if trace.topmost]
    if not lacking:
        return
    if rows is None:
        query = ObservationQuery(project_id=lacking[0][0].project_id, fields=_TEXTS)
        keys = [ObservationKey(trace.id, span.id, span.start, 0) for trace, span in lacking]
        rows = await observations.read(clickhouse, query, keys)
    spans = {(row.trace_id, row.id): row for row in rows}
    for trace, span in lacking:
        if (row := spans.get((trace.id, span.id))) is not None:
            trace.input = trace.input if trace.input is not None else row.input or None
            trace.output = trace.output if trace.output is not None else row.output or None


async def find_trace(
    clickhouse: ClickHouse,
    project_id: str,
    trace_id: str,
    groups: frozenset[str] = FIELD_GROUPS,
    fields: frozenset[str] = observations.ALL_FIELDS,
) -> WholeTrace | None:
    """One trace, its observations with these `fields`, or None when there is no such trace."""
    with_io = "io" in groups
    reads_observations = bool(groups & {"observations", "metrics"})
    if "observations" not in groups:
        fields = _SUMMED
    (parts, rows), trace_scores = await asyncio.gather(
        _parts_and_observations(clickhouse, project_id, trace_id, fields, observed=reads_observations, texts=with_io),
        scores.of_trace(clickhouse, project_id, trace_id) if "scores" in groups else _no_scores(),
    )
    if trace_id not in parts:
        return None
    detail = WholeTrace(trace=aggregate_parts(parts[trace_id]), scores=trace_scores)
    if with_io:
        await _add_texts(clickhouse, [detail.trace], rows if reads_observations and fields >= _TEXTS else None)
    detail.latency_s, detail.total_cost = _spread(rows), _cost(rows)
    detail.observations = rows if "observations" in groups else []
    return detail


async def _parts_and_observations(
    clickhouse: ClickHouse, project_id: str, trace_id: str, fields: frozenset[str], *, observed: bool, texts: bool
) -> tuple[dict[str, list[TracePart]], list[Observation]]:
    bounds = await time_bounds_of(clickhouse, project_id, trace_id)
    by_trace = {trace_id: bounds} if bounds else None
    return await asyncio.gather(
        read_parts(clickhouse, project_id, [trace_id], with_texts=texts, time_bounds=by_trace),
        observations.of_trace(clickhouse, project_id, trace_id, bounds, fields) if observed else _nothing(),
    )


async def _nothing() -> list[Observation]:
    return []


async def _no_scores() -> list[Score]:
    return []


def _spread(rows: Sequence[Observation]) -> float:
    """Seconds from the first start to the last end, or to the last start when nothing has ended."""
    if not rows:
        return 0.0
    ends = [row.end_time for row in rows if row.end_time is not None]
    last = max(ends) if ends else max(row.start_time for row in rows)
    return round((last - min(row.start_time for row in rows)) / _MICROS, 3)


def _cost(rows: Sequence[Observation]) -> float:
    total = sum(row.total_cost for row in rows if row.total_cost is not None)
    # Sums of decimals as floats have rounding errors; twelve places are stored.
    return round(total, 12)
