"""Reading observations: pages of them, those of a trace, and single ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from appliance.model.filters import Condition
from appliance.model.observations import Observation
from appliance.storage.clickhouse.all_traces import read_unsettled
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.extents import Extent, extent_of, within
from appliance.storage.clickhouse.observation_filters import ObservationFilter, asks_traces, observation_filter
from appliance.storage.clickhouse.queries import render
from appliance.storage.clickhouse.where import Binder

_ALIASES: Final = {"prefer_column_name_to_alias": 1}
_CHUNK: Final = 500
_TEXTS: Final = {
    (True, True): "input, output, metadata",
    (True, False): "input, output, map() AS metadata",
    (False, True): "'' AS input, '' AS output, metadata",
    (False, False): "'' AS input, '' AS output, map() AS metadata",
}


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
    with_io: bool = True
    with_metadata: bool = True


class ObservationKey(msgspec.Struct):
    """An observation of a page; its start in microseconds since the epoch."""

    trace_id: str
    id: str
    start_micros: int
    trace_hash: int


class Step(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """An observation as the row of a tree; times are ISO 8601 in UTC, costs USD, '' stands for null."""

    id: str
    start_time: str
    parent_observation_id: str = ""
    type: str = "SPAN"
    name: str = ""
    end_time: str | None = None
    completion_start_time: str | None = None
    level: str = "DEFAULT"
    status_message: str = ""
    environment: str = "default"
    version: str = ""
    provided_model_name: str = ""
    usage_details: dict[str, int] = msgspec.field(default_factory=dict)
    total_cost: float | None = None
    prompt_name: str = ""
    prompt_version: int = 0


class _Total(msgspec.Struct):
    total: int


async def list_page(clickhouse: ClickHouse, query: ObservationQuery) -> tuple[list[Observation], list[ObservationKey]]:
    """One page and its keys, both in order. Raises InvalidRequest, QueryTooExpensive and StoreUnavailable."""
    keys = await _list_keys(clickhouse, query)
    return await _read(clickhouse, query, keys), keys


async def count(clickhouse: ClickHouse, query: ObservationQuery) -> int:
    """How many observations fulfil the conditions."""
    binder, made = await _filter(clickhouse, query)
    sql = render("observations", "count", where=made.where)
    return (await clickhouse.rows(sql, binder.params, _Total, settings=_ALIASES))[0].total


async def of_trace(
    clickhouse: ClickHouse, project_id: str, trace_id: str, extent: Extent | None = None
) -> list[Observation]:
    """All observations of a trace, oldest first; quicker when it is known where they lie."""
    row = render("observations", "row", texts=_TEXTS[True, True])
    binder = Binder({"project_id": project_id, "trace_id": trace_id})
    bounds = within("start_time", [extent] if extent else [], binder)
    sql = render("observations", "of_trace", row=row, bounds=bounds)
    rows = await clickhouse.rows(sql, binder.params, Observation, settings=_ALIASES)
    return sorted(rows, key=lambda row: (row.start_time, row.id))


async def steps(clickhouse: ClickHouse, project_id: str, trace_id: str, *, limit: int, offset: int) -> list[Step]:
    """The rows of a trace's tree, oldest first, from `offset` on. Raises QueryTooExpensive and StoreUnavailable."""
    extent = await extent_of(clickhouse, project_id, trace_id)
    binder = Binder({"project_id": project_id, "trace_id": trace_id, "limit": limit, "offset": offset})
    sql = render("observations", "steps", bounds=within("start_time", [extent] if extent else [], binder))
    return await clickhouse.rows(sql, binder.params, Step, settings={"date_time_output_format": "iso"})


async def find(clickhouse: ClickHouse, project_id: str, observation_id: str) -> Observation | None:
    """One observation by its id, or None."""
    row = render("observations", "row", texts=_TEXTS[True, True])
    sql = render("observations", "by_key", row=row, where="")
    params = {"project_id": project_id, "ids": [observation_id]}
    found = await clickhouse.rows(sql, params, Observation, settings=_ALIASES)
    return found[0] if found else None


async def _filter(clickhouse: ClickHouse, query: ObservationQuery) -> tuple[Binder, ObservationFilter]:
    binder = Binder({"project_id": query.project_id})
    unsettled = await read_unsettled(clickhouse, query.project_id, needed=asks_traces(query.conditions))
    return binder, observation_filter(query.conditions, binder, unsettled)


async def _list_keys(clickhouse: ClickHouse, query: ObservationQuery) -> list[ObservationKey]:
    binder, made = await _filter(clickhouse, query)
    if query.after is not None:
        made.tests.append(_after(query.after, binder))
    sql = render("observations", "keys", where=made.where)
    params = binder.params | {"limit": query.limit, "offset": query.offset}
    return await clickhouse.rows(sql, params, ObservationKey, settings=_ALIASES)


def _after(position: Position, binder: Binder) -> str:
    start = binder.time(position.start_micros)
    rest = f"({start}, {binder.bind(position.trace_hash, 'UInt32')}, {binder.bind(position.id)})"
    # The first test alone can use the table's order; the second decides.
    return f"start_time <= {start} AND (start_time, xxHash32(trace_id), id) < {rest}"


async def _read(clickhouse: ClickHouse, query: ObservationQuery, keys: Sequence[ObservationKey]) -> list[Observation]:
    row = render("observations", "row", texts=_TEXTS[query.with_io, query.with_metadata])
    found: dict[tuple[str, str], Observation] = {}
    for start in range(0, len(keys), _CHUNK):
        chunk = keys[start : start + _CHUNK]
        binder = Binder({"project_id": query.project_id, "ids": [key.id for key in chunk]})
        bounds = within("start_time", [Extent(key.start_micros, key.start_micros) for key in chunk], binder)
        sql = render("observations", "by_key", row=row, where=bounds)
        for observation in await clickhouse.rows(sql, binder.params, Observation, settings=_ALIASES):
            found[observation.trace_id, observation.id] = observation
    return [found[key.trace_id, key.id] for key in keys if (key.trace_id, key.id) in found]
