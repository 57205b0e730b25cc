"""The content of traces: their parts, the totals of their observations, and the ids of their scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec

from appliance.model.traces import TracePart
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.queries import render
from appliance.storage.clickhouse.traces.time_bounds import ALONE, KNOWN_PLACES, TimeBounds, within
from appliance.storage.clickhouse.versions import newest
from appliance.storage.clickhouse.where import Binder

_ALIASES: Final = {"prefer_column_name_to_alias": 1}
_MINUTE: Final = 60_000_000
_CHUNK: Final = 500

Item = TypeVar("Item")


class TraceKey(msgspec.Struct):
    """A trace of a page; times in microseconds since the epoch."""

    id: str
    started: int
    first: int
    """No part or observation of it starts before this."""
    last: int
    """No part of it starts after this, and hardly an observation."""


class TraceTotals(msgspec.Struct):
    """What the observations of one trace add up to; times in microseconds since the epoch, cost in USD."""

    id: str
    observation_ids: list[str] = []
    first_start: int = 0
    last_start: int = 0
    last_end: int | None = None
    total_cost: float = 0.0


class _ScoreIds(msgspec.Struct):
    id: str
    score_ids: list[str]


class _PartVersion(TracePart):
    is_deleted: int = 0


async def read_parts(
    clickhouse: ClickHouse,
    project_id: str,
    ids: Sequence[str],
    *,
    with_texts: bool = True,
    time_bounds: Mapping[str, TimeBounds] | None = None,
) -> dict[str, list[TracePart]]:
    """All parts of the traces by trace id; without texts, input, output and metadata stay empty.

    Quicker with the time bounds of each trace.
    """
    texts = "input, output, metadata" if with_texts else "NULL AS input, NULL AS output, map() AS metadata"
    parts: dict[str, list[TracePart]] = {}
    for chunk in _chunks(ids):
        binder = Binder({"project_id": project_id, "ids": chunk})
        bounds = within("timestamp", [time_bounds[trace_id] for trace_id in chunk] if time_bounds else [], binder)
        sql = render("traces", "parts", texts=texts, bounds=bounds)
        rows = await clickhouse.rows(sql, binder.params, _PartVersion, settings=_ALIASES | KNOWN_PLACES)
        for part in newest(rows, key=lambda row: (row.id, row.part_id, row.timestamp // _MINUTE)):
            parts.setdefault(part.id, []).append(part)
    return parts


async def read_totals(clickhouse: ClickHouse, project_id: str, keys: Sequence[TraceKey]) -> dict[str, TraceTotals]:
    """What the observations of these traces add up to, by trace id; traces without observations are missing."""
    totals: dict[str, TraceTotals] = {}
    for chunk in _chunks(keys):
        binder = Binder({"project_id": project_id, "ids": [key.id for key in chunk]})
        sql = render("traces", "totals", bounds=within("start_time", bounds_by_trace(chunk).values(), binder))
        for row in await clickhouse.rows(sql, binder.params, TraceTotals, settings=_ALIASES | KNOWN_PLACES):
            totals[row.id] = row
    return totals


def bounds_by_trace(keys: Iterable[TraceKey]) -> dict[str, TimeBounds]:
    """The time bounds of each trace of a page, by its id."""
    return {key.id: TimeBounds(key.first, key.last) for key in keys}


async def read_score_ids(clickhouse: ClickHouse, project_id: str, ids: Sequence[str]) -> dict[str, list[str]]:
    """The ids of the scores of these traces and of their observations, by trace id; corrections are left out."""
    score_ids: dict[str, list[str]] = {}
    for chunk in _chunks(ids):
        params: Mapping[str, Any] = {"project_id": project_id, "ids": chunk}
        for row in await clickhouse.rows(render("traces", "score_ids"), params, _ScoreIds, settings=ALONE):
            score_ids[row.id] = row.score_ids
    return score_ids


def _chunks(items: Sequence[Item]) -> Iterable[list[Item]]:
    # Ids are sent in the address of the request, whose length ClickHouse bounds.
    return (list(items[start : start + _CHUNK]) for start in range(0, len(items), _CHUNK))
