"""Reading observations: pages of them, those of a trace, and single ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from appliance.api_types.observations import TreeRow
from appliance.model.filters import Condition
from appliance.model.observations import Observation
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.observation_filters import ObservationFilter, asks_traces, observation_filter
from appliance.storage.clickhouse.queries import render
from appliance.storage.clickhouse.traces.all import read_pending_traces
from appliance.storage.clickhouse.traces.time_bounds import KNOWN_PLACES, TimeBounds, time_bounds_of, within
from appliance.storage.clickhouse.versions import newest
from appliance.storage.clickhouse.where import Binder

_ALIASES: Final = {"prefer_column_name_to_alias": 1}
# Reading in the table's order would merge versions row by row; sorting the rows within bounds is quicker.
_UNORDERED: Final = _ALIASES | {"optimize_read_in_order": 0}
_CHUNK: Final = 500
_SPARE: Final = 100
ALL_FIELDS: Final = frozenset(Observation.__struct_fields__)
"""All readable fields of an observation."""
_KEY: Final = frozenset({"project_id", "trace_id", "id", "is_deleted"})
_TIMES: Final = frozenset({"start_time", "end_time", "completion_start_time", "created_at", "updated_at", "event_ts"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a page by cursor begins: after this observation, in the order of the list."""

    start_micros: int
    trace_hash: int
    """xxHash32 of the trace id."""
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservationQuery:
    """Which observations; the newest start comes first."""

    project_id: str
    conditions: Sequence[Condition] = ()
    limit: int = 50
    offset: int = 0
    after: Position | None = None
    fields: frozenset[str] = ALL_FIELDS
    """The fields of `Observation` to read; its key and times always are."""


class ObservationKey(msgspec.Struct):
    """An observation of a page; its start in microseconds since the epoch."""

    trace_id: str
    id: str
    start_micros: int
    trace_hash: int


class _Reach(msgspec.Struct):
    found: int
    since_micros: int


class _Total(msgspec.Struct):
    total: int


async def list_page(clickhouse: ClickHouse, query: ObservationQuery) -> list[Observation]:
    """One page in order. Raises InvalidRequest, QueryTooExpensive and StoreUnavailable."""
    return await read(clickhouse, query, await list_keys(clickhouse, query))


async def list_keys(clickhouse: ClickHouse, query: ObservationQuery) -> list[ObservationKey]:
    """The keys of one page in order. Raises as `list_page`."""
    binder, filter = await _filter(clickhouse, query)
    if query.after is not None:
        filter.tests.append(_after(query.after, binder))
    if filter.wide_tests or asks_traces(query.conditions):
        return await _keys(clickhouse, query, filter, binder)  # too expensive to run twice
    most = 2 * (query.offset + query.limit) + _SPARE
    sql = render("observations", "reach", where=filter.where)
    [reach] = await clickhouse.rows(sql, binder.params | {"most": most}, _Reach, settings=_ALIASES)
    if not reach.found:
        return []
    near = ObservationFilter([*filter.tests, f"start_time >= {binder.time(reach.since_micros)}"])
    keys = await _keys(clickhouse, query, near, binder, _UNORDERED)
    if len(keys) == query.limit or reach.found < most:
        return keys
    return await _keys(clickhouse, query, filter, binder)


async def _keys(
    clickhouse: ClickHouse,
    query: ObservationQuery,
    filter: ObservationFilter,
    binder: Binder,
    settings: Mapping[str, int] = _ALIASES,
) -> list[ObservationKey]:
    sql = render("observations", "keys", where=filter.where)
    params = binder.params | {"limit": query.limit, "offset": query.offset}
    return await clickhouse.rows(sql, params, ObservationKey, settings=settings)


async def read(clickhouse: ClickHouse, query: ObservationQuery, keys: Sequence[ObservationKey]) -> list[Observation]:
    """The observations of `keys` in their order, without those that were deleted meanwhile."""
    by_key: dict[tuple[str, str], Observation] = {}
    for start in range(0, len(keys), _CHUNK):
        chunk = keys[start : start + _CHUNK]
        binder = Binder({"project_id": query.project_id, "ids": [key.id for key in chunk]})
        bounds = within("start_time", [TimeBounds(key.start_micros, key.start_micros) for key in chunk], binder)
        for row in await _known(clickhouse, "id IN {ids:Array(String)}", bounds, binder, query.fields):
            by_key[row.trace_id, row.id] = row
    return [by_key[key.trace_id, key.id] for key in keys if (key.trace_id, key.id) in by_key]


async def count(clickhouse: ClickHouse, query: ObservationQuery) -> int:
    """How many observations fulfil the conditions."""
    binder, filter = await _filter(clickhouse, query)
    sql = render("observations", "count", where=filter.where)
    return (await clickhouse.rows(sql, binder.params, _Total, settings=_ALIASES))[0].total


async def of_trace(
    clickhouse: ClickHouse,
    project_id: str,
    trace_id: str,
    time_bounds: TimeBounds | None = None,
    fields: frozenset[str] = ALL_FIELDS,
) -> list[Observation]:
    """All observations of a trace, oldest first; quicker with its time bounds."""
    binder = Binder({"project_id": project_id, "trace_id": trace_id})
    bounds = within("start_time", [time_bounds] if time_bounds else [], binder)
    rows = await _known(clickhouse, "trace_id = {trace_id:String}", bounds, binder, fields)
    return sorted(rows, key=lambda row: (row.start_time, row.id))


async def steps(clickhouse: ClickHouse, project_id: str, trace_id: str, *, limit: int, offset: int) -> list[TreeRow]:
    """The rows of a trace's tree, oldest first, from `offset` on. Raises QueryTooExpensive and StoreUnavailable."""
    time_bounds = await time_bounds_of(clickhouse, project_id, trace_id)
    binder = Binder({"project_id": project_id, "trace_id": trace_id, "limit": limit, "offset": offset})
    sql = render("observations", "steps", bounds=within("start_time", [time_bounds] if time_bounds else [], binder))
    return await clickhouse.rows(sql, binder.params, TreeRow, settings={"date_time_output_format": "iso"})


async def find(
    clickhouse: ClickHouse, project_id: str, observation_id: str, fields: frozenset[str] = ALL_FIELDS
) -> Observation | None:
    """One observation by its id, the newest if several traces have it, or None."""
    binder = Binder({"project_id": project_id, "ids": [observation_id]})
    rows = await _known(clickhouse, "id IN {ids:Array(String)}", "", binder, fields)
    return max(rows, key=lambda row: row.event_ts, default=None)


async def _known(
    clickhouse: ClickHouse, which: str, bounds: str, binder: Binder, fields: frozenset[str]
) -> list[Observation]:
    sql = render("observations", "known", row=row_of(fields), which=which, bounds=bounds)
    rows = await clickhouse.rows(sql, binder.params, Observation, settings=_ALIASES | KNOWN_PLACES)
    return newest(rows, key=lambda row: (row.trace_id, row.id))


def row_of(fields: frozenset[str] = ALL_FIELDS) -> str:
    """The SQL of the columns of `fields` of the table `observations`, with the key and the times."""
    read = (name for name in Observation.__struct_fields__ if name in _KEY or name in fields - _TIMES)
    return render("observations", "row", columns=", ".join(read))


async def _filter(clickhouse: ClickHouse, query: ObservationQuery) -> tuple[Binder, ObservationFilter]:
    binder = Binder({"project_id": query.project_id})
    pending = await read_pending_traces(clickhouse, query.project_id, needed=asks_traces(query.conditions))
    return binder, observation_filter(query.conditions, binder, pending)


def _after(position: Position, binder: Binder) -> str:
    start = binder.time(position.start_micros)
    rest = f"({start}, {binder.bind(position.trace_hash, 'UInt32')}, {binder.bind(position.id)})"
    # Only the first test can use the table's order; the second decides.
    return f"start_time <= {start} AND (start_time, xxHash32(trace_id), id) < {rest}"
