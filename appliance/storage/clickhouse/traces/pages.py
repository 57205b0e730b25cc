"""Pages of traces: which traces match a query, in which order, and how many there are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from appliance.model.filters import SEARCH_COLUMN, Condition
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.queries import render
from appliance.storage.clickhouse.search import Search, explained, search_of
from appliance.storage.clickhouse.traces.all import DirtyTraces, PendingTraces, reach_back, read_dirty_traces
from appliance.storage.clickhouse.traces.detail import TraceKey
from appliance.storage.clickhouse.traces.filters import ORDERS, TraceFilter, trace_filter
from appliance.storage.clickhouse.traces.time_bounds import ALONE
from appliance.storage.clickhouse.where import Binder

_ALIASES: Final = {"prefer_column_name_to_alias": 1}
# Table parts older than the window stay closed.
_NEWEST_FIRST: Final = {"read_in_order_use_virtual_row": 1}
# Reading in the table's order would merge versions row by row; sorting the matches is quicker.
_UNORDERED: Final = {"optimize_read_in_order": 0}
_DAY: Final = 86_400_000_000
_WEEK: Final = 7 * _DAY
_UNSEARCHED: Final = Search()
_TRIES: Final = 4
# More parts than a page needs are read: a trace may have several, and the last ones may have earlier parts.
_MARGIN: Final = 1000
# Pages up to this size are first searched among the newest dirty traces, when those are many.
_RECENT_TRACES: Final = 100
# With more dirty traces, their observations are not summed up unless the query needs it.
_FEW_DIRTY: Final = 500
# More stored aggregates than a page needs are read: some may be older versions.
_SPARE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceListQuery:
    """Which traces, in which order."""

    project_id: str
    conditions: Sequence[Condition] = ()
    order_by: str = "timestamp"
    descending: bool = True
    limit: int = 50
    offset: int = 0


class _Newest(msgspec.Struct):
    id: str
    started: int
    cutoff_micros: int
    parts: int


class _Matching(msgspec.Struct):
    id: str
    started_micros: int
    first_micros: int
    last_micros: int

    def key(self) -> TraceKey:
        return TraceKey(self.id, self.started_micros, self.first_micros, self.last_micros)


class _StoredTrace(_Matching):
    looked_at: int


class _Total(msgspec.Struct):
    total: int


class _Place(msgspec.Struct):
    id: str
    first_micros: int
    last_micros: int


def _filter_of(query: TraceListQuery, search: Search = _UNSEARCHED) -> TraceFilter:
    binder = Binder({"project_id": query.project_id})
    return trace_filter(query.conditions, binder, order_by=query.order_by, search=search)


@dataclass(slots=True)
class TracePage:
    """The traces of one page in order; the number on all pages may still be being counted."""

    keys: list[TraceKey]
    query: TraceListQuery
    counting: asyncio.Future[int]

    async def total(self) -> int:
        """How many there are on all pages; of a search for common words, at least."""
        total = await self.counting
        # Counting and reading happen at slightly different times, and traces may have arrived in between.
        return max(total, self.query.offset + len(self.keys)) if self.keys else total


async def find_page(clickhouse: ClickHouse, query: TraceListQuery) -> TracePage:
    """The traces of one page in order. Raises InvalidRequest for a bad filter or order, QueryTooExpensive and
    StoreUnavailable; the page's `total` raises the last two.
    """
    filter = _filter_of(query)
    if query.order_by == "timestamp" and query.descending and filter.is_time_only:
        return await _page_by_time(clickhouse, query, filter)
    if any(condition.column == SEARCH_COLUMN for condition in query.conditions):
        async with explained(clickhouse):
            keys, total = await _listed(clickhouse, query, filter)
    else:
        keys, total = await _listed(clickhouse, query, filter)
    counting = asyncio.get_running_loop().create_future()
    counting.set_result(total)
    return TracePage(keys, query, counting)


async def _page_by_time(clickhouse: ClickHouse, query: TraceListQuery, filter: TraceFilter) -> TracePage:
    dirty, stored = await asyncio.gather(
        read_dirty_traces(clickhouse, query.project_id), _newest_stored(clickhouse, query, filter)
    )
    counting = asyncio.ensure_future(_count_started(clickhouse, query, filter, dirty))
    try:
        keys = await _newest(clickhouse, query, filter, dirty, stored) if dirty.dirty_count else stored
        if keys is None:
            pending, is_observed = await _pending(clickhouse, query, filter, dirty)
            keys, _ = await _matching(clickhouse, query, pending, _UNSEARCHED, observed=is_observed)
    except BaseException:
        counting.cancel()
        raise
    return TracePage(keys, query, counting)


async def _listed(clickhouse: ClickHouse, query: TraceListQuery, filter: TraceFilter) -> tuple[list[TraceKey], int]:
    dirty = await read_dirty_traces(clickhouse, query.project_id)
    pending, is_observed = await _pending(clickhouse, query, filter, dirty)
    search = await _search(clickhouse, query)
    if search.since:
        keys, total = await _matching(clickhouse, query, pending, search, observed=is_observed)
        if len(keys) == query.limit:
            return keys, total
        search = _UNSEARCHED
    return await _matching(clickhouse, query, pending, search, observed=is_observed)


async def _pending(
    clickhouse: ClickHouse, query: TraceListQuery, filter: TraceFilter, dirty: DirtyTraces
) -> tuple[PendingTraces, bool]:
    """The pending traces, and whether to sum up their observations: when the query needs it, or they are few."""
    if filter.is_observed or dirty.dirty_count <= _FEW_DIRTY:
        return await reach_back(clickhouse, query.project_id, dirty), True
    return dirty.anywhere, False


async def _search(clickhouse: ClickHouse, query: TraceListQuery) -> Search:
    texts = [str(condition.value) for condition in query.conditions if condition.column == SEARCH_COLUMN]
    is_newest_first = query.order_by == "timestamp" and query.descending
    return await search_of(clickhouse, query.project_id, texts, query.offset + query.limit if is_newest_first else None)


async def _matching(
    clickhouse: ClickHouse,
    query: TraceListQuery,
    pending: PendingTraces,
    search: Search,
    *,
    observed: bool = True,
) -> tuple[list[TraceKey], int]:
    """A page out of all traces, and how many there are on all pages."""
    filter = _filter_of(query, search)
    direction = "DESC" if query.descending else "ASC"
    order = f"{ORDERS[query.order_by]} {direction}, trace.id {direction}"
    part_test, rarely = filter.part_test()
    every = pending.all_traces(filter.binder, observed=observed, part_test=part_test, rarely=rarely)
    sql = render("traces", "matching", all=every, joins=filter.joins(), where=filter.where, order=order)
    params = filter.binder.params | {"limit": query.limit, "offset": query.offset}
    rows, total = await clickhouse.page(sql, params, _Matching, settings=_ALIASES | _UNORDERED)
    keys = [row.key() for row in rows]
    if not observed and keys:
        await _find_places(clickhouse, query.project_id, pending, keys)
    return keys, total


async def _find_places(clickhouse: ClickHouse, project_id: str, pending: PendingTraces, keys: list[TraceKey]) -> None:
    """Widen the time bounds of keys to all their rows, when only parts were read."""
    binder = Binder({"project_id": project_id, "ids": [key.id for key in keys]})
    sql = render("traces", "places", until=binder.time(pending.until))
    places = {row.id: row for row in await clickhouse.rows(sql, binder.params, _Place)}
    for key in keys:
        if (place := places.get(key.id)) is not None:
            key.first, key.last = min(key.first, place.first_micros), max(key.last, place.last_micros)


async def _count_started(clickhouse: ClickHouse, query: TraceListQuery, filter: TraceFilter, dirty: DirtyTraces) -> int:
    """How many traces match a query on time only, which needs no aggregates of them."""
    binder = Binder({"project_id": query.project_id})
    starts = filter.start_tests(binder)
    if dirty.dirty_count:
        pending = await reach_back(clickhouse, query.project_id, dirty)
        sql = pending.count_started(binder, starts)
    else:
        sql = render("traces", "count_stored", starts=starts)
    return (await clickhouse.rows(sql, binder.params, _Total, settings=_ALIASES))[0].total


async def _newest_stored(clickhouse: ClickHouse, query: TraceListQuery, filter: TraceFilter) -> list[TraceKey] | None:
    """A page by time when no trace is pending; None when it is empty, or most of the newest rows are old versions."""
    most = 2 * (query.offset + query.limit) + _SPARE
    page = {"project_id": query.project_id, "most": most, "limit": query.limit, "offset": query.offset}
    binder = Binder(page)
    sql = render("traces", "newest_stored", starts=filter.start_tests(binder))
    rows = await clickhouse.rows(sql, binder.params, _StoredTrace, settings=_ALIASES | _NEWEST_FIRST | ALONE)
    is_whole = len(rows) == query.limit or (rows and rows[0].looked_at < most)
    return [row.key() for row in rows] if is_whole else None


async def _newest(
    clickhouse: ClickHouse,
    query: TraceListQuery,
    filter: TraceFilter,
    dirty: DirtyTraces,
    stored: list[TraceKey] | None,
) -> list[TraceKey] | None:
    """A page by time out of the newest rows; None when those do not suffice and all pending traces must be aggregated.

    Parts are read from the newest back until enough traces began in the window. A trace that began before the window
    may look newer than it is when its other parts lie far back: such traces are found by their ids and left out.
    """
    wanted = query.offset + query.limit
    recent = dirty.recent_micros if wanted <= _RECENT_TRACES else 0
    if not recent and stored:
        recent = stored[-1].started  # newer rows can only move the end of the page to later times
    displaced: list[str] = []
    for _ in range(_TRIES):
        rows = await _newest_parts(clickhouse, query, filter, displaced, recent)
        if rows is None and recent:
            recent = 0
            rows = await _newest_parts(clickhouse, query, filter, displaced, recent)
        if rows is None:
            return None
        begun = await _beginnings(clickhouse, query.project_id, [row.id for row in rows])
        late = [row.id for row in rows if row.id in begun and begun[row.id].started < row.started]
        if not late:
            return [_key_of(begun[row.id]) for row in rows if row.id in begun]
        displaced += late
    return None


async def _newest_parts(
    clickhouse: ClickHouse, query: TraceListQuery, filter: TraceFilter, displaced: list[str], recent: int
) -> list[_Newest] | None:
    """A page out of the newest parts, at most those from `recent` on; None when they are too few."""
    window = (query.offset + query.limit) * 2 + _MARGIN
    page = {"window": window, "limit": query.limit, "offset": query.offset, "displaced": displaced}
    binder = Binder({"project_id": query.project_id, **page})
    bounds = filter.start_tests(binder, "timestamp")
    settings: dict[str, int] = _ALIASES | (_UNORDERED if recent else _NEWEST_FIRST)
    if recent:
        bounds += f" AND timestamp >= {binder.time(recent)}"
    sql = render("traces", "newest", bounds=bounds)
    rows = await clickhouse.rows(sql, binder.params, _Newest, settings=settings)
    # At the end of the window, other parts of the same moment may be missing.
    if len(rows) < max(query.limit, 1) or (rows[-1].parts == window and rows[-1].started <= rows[-1].cutoff_micros):
        return None
    return rows


class _Beginning(msgspec.Struct):
    id: str
    started: int
    first_part: int
    last_part: int


async def _beginnings(clickhouse: ClickHouse, project_id: str, ids: list[str]) -> dict[str, _Beginning]:
    rows = await clickhouse.rows(render("traces", "beginnings"), {"project_id": project_id, "ids": ids}, _Beginning)
    return {row.id: row for row in rows}


def _key_of(row: _Beginning) -> TraceKey:
    # Parts do not hold the times of observations, but those of a trace are near them.
    return TraceKey(row.id, row.started, row.first_part - _DAY, row.last_part + _WEEK)
