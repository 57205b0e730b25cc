"""Pages of traces: which traces match a query, in which order, and how many there are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from appliance.model.filters import SEARCH_COLUMN, Condition
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.queries import render
from appliance.storage.clickhouse.search import Search, explained, search_of
from appliance.storage.clickhouse.traces.all import Touched, Unsettled, reach_back, read_touched
from appliance.storage.clickhouse.traces.detail import TraceKey
from appliance.storage.clickhouse.traces.filters import ORDERS, TraceFilter, trace_filter
from appliance.storage.clickhouse.traces.time_bounds import ALONE
from appliance.storage.clickhouse.where import Binder, all_of

_ALIASES: Final = {"prefer_column_name_to_alias": 1}
# Parts that lie further back than the window are not opened.
_NEWEST_FIRST: Final = {"read_in_order_use_virtual_row": 1}
# Reading in the table's order would merge versions row by row; sorting what was found is quicker.
_UNORDERED: Final = {"optimize_read_in_order": 0}
_DAY: Final = 86_400_000_000
_WEEK: Final = 7 * _DAY
_UNSEARCHED: Final = Search()
_TRIES: Final = 4
# More parts than a page needs are looked at: a trace may have several, and the last ones may go on before them.
_MARGIN: Final = 1000
# Pages up to here are looked for among what was written last, when that is much.
_RECENT_TRACES: Final = 100
# With more, what their observations add up to is not looked at unless it is asked for.
_FEW_TOUCHES: Final = 500
# Of folded rows, more than a page needs are looked at: some may be older versions.
_SPARE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceQuery:
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


class _Settled(_Matching):
    looked_at: int


class _Total(msgspec.Struct):
    total: int


class _Place(msgspec.Struct):
    id: str
    first_micros: int
    last_micros: int


@dataclass(slots=True)
class _Asked:
    filter: TraceFilter
    params: dict[str, Any] = field(default_factory=dict)


def _asked(query: TraceQuery, search: Search = _UNSEARCHED) -> _Asked:
    binder = Binder()
    made = trace_filter(query.conditions, binder, order_by=query.order_by, search=search)
    binder.params["project_id"] = query.project_id
    return _Asked(made, binder.params)


@dataclass(slots=True)
class Page:
    """The traces of one page in order; how many there are on all pages may still be being counted."""

    keys: list[TraceKey]
    query: TraceQuery
    counting: asyncio.Future[int]

    async def total(self) -> int:
        """How many there are on all pages; of a search for common words, at least."""
        total = await self.counting
        # They are counted a moment earlier or later than they are read, and some may have come meanwhile.
        return max(total, self.query.offset + len(self.keys)) if self.keys else total


async def find_page(clickhouse: ClickHouse, query: TraceQuery) -> Page:
    """The traces of one page in order. Raises InvalidRequest for a bad filter or order, QueryTooExpensive and
    StoreUnavailable; the page's `total` raises the last two.
    """
    asked = _asked(query)
    if query.order_by == "timestamp" and query.descending and asked.filter.is_time_only:
        return await _page_by_time(clickhouse, query, asked)
    if any(condition.column == SEARCH_COLUMN for condition in query.conditions):
        async with explained(clickhouse):
            keys, total = await _listed(clickhouse, query, asked)
    else:
        keys, total = await _listed(clickhouse, query, asked)
    counting = asyncio.get_running_loop().create_future()
    counting.set_result(total)
    return Page(keys, query, counting)


async def _page_by_time(clickhouse: ClickHouse, query: TraceQuery, asked: _Asked) -> Page:
    touched, settled = await asyncio.gather(
        read_touched(clickhouse, query.project_id), _newest_settled(clickhouse, query, asked)
    )
    counting = asyncio.ensure_future(_count_started(clickhouse, query, touched))
    try:
        keys = await _newest(clickhouse, query, asked, touched, settled) if touched.touches else settled
        if keys is None:
            unsettled, is_observed = await _unsettled(clickhouse, query, asked, touched)
            keys, _ = await _matching(clickhouse, query, unsettled, _UNSEARCHED, observed=is_observed)
    except BaseException:
        counting.cancel()
        raise
    return Page(keys, query, counting)


async def _listed(clickhouse: ClickHouse, query: TraceQuery, asked: _Asked) -> tuple[list[TraceKey], int]:
    touched = await read_touched(clickhouse, query.project_id)
    unsettled, is_observed = await _unsettled(clickhouse, query, asked, touched)
    search = await _search(clickhouse, query)
    if search.since:
        keys, total = await _matching(clickhouse, query, unsettled, search, observed=is_observed)
        if len(keys) == query.limit:
            return keys, total
        search = _UNSEARCHED
    return await _matching(clickhouse, query, unsettled, search, observed=is_observed)


async def _unsettled(
    clickhouse: ClickHouse, query: TraceQuery, asked: _Asked, touched: Touched
) -> tuple[Unsettled, bool]:
    """What is not folded, and whether its observations are to be summed up: they must be, or it is little."""
    if asked.filter.is_observed or touched.touches <= _FEW_TOUCHES:
        return await reach_back(clickhouse, query.project_id, touched), True
    return touched.anywhere, False


async def _search(clickhouse: ClickHouse, query: TraceQuery) -> Search:
    texts = [str(condition.value) for condition in query.conditions if condition.column == SEARCH_COLUMN]
    is_newest_first = query.order_by == "timestamp" and query.descending
    return await search_of(clickhouse, query.project_id, texts, query.offset + query.limit if is_newest_first else None)


async def _matching(
    clickhouse: ClickHouse,
    query: TraceQuery,
    unsettled: Unsettled,
    search: Search,
    *,
    observed: bool = True,
) -> tuple[list[TraceKey], int]:
    """A page out of all traces, and how many there are on all pages."""
    asked = _asked(query, search)
    made = asked.filter
    direction = "DESC" if query.descending else "ASC"
    order = f"{ORDERS[query.order_by]} {direction}, trace.id {direction}"
    said, rarely = made.said()
    every = unsettled.all_traces(made.binder, observed=observed, said=said, rarely=rarely)
    sql = render("traces", "matching", all=every, joins=made.joins(), where=made.where, order=order)
    params = asked.params | {"limit": query.limit, "offset": query.offset}
    rows, total = await clickhouse.page(sql, params, _Matching, settings=_ALIASES | _UNORDERED)
    keys = [row.key() for row in rows]
    if not observed and keys:
        await _find_places(clickhouse, query.project_id, unsettled, keys)
    return keys, total


async def _find_places(clickhouse: ClickHouse, project_id: str, unsettled: Unsettled, keys: list[TraceKey]) -> None:
    """Make the places of keys those of all their rows, when only parts were looked at."""
    binder = Binder({"project_id": project_id, "ids": [key.id for key in keys]})
    sql = render("traces", "places", until=binder.time(unsettled.until))
    places = {row.id: row for row in await clickhouse.rows(sql, binder.params, _Place)}
    for key in keys:
        if (place := places.get(key.id)) is not None:
            key.first, key.last = min(key.first, place.first_micros), max(key.last, place.last_micros)


async def _count_started(clickhouse: ClickHouse, query: TraceQuery, touched: Touched) -> int:
    """How many traces there are, of a query about nothing but time, which needs far less of a trace."""
    asked = _asked(query)
    starts = all_of(asked.filter.exact_starts, prefix="AND ")
    if touched.touches:
        unsettled = await reach_back(clickhouse, query.project_id, touched)
        sql = unsettled.count_started(asked.filter.binder, starts)
    else:
        sql = render("traces", "count_settled", starts=starts)
    return (await clickhouse.rows(sql, asked.params, _Total, settings=_ALIASES))[0].total


async def _newest_settled(clickhouse: ClickHouse, query: TraceQuery, asked: _Asked) -> list[TraceKey] | None:
    """A page by time, if all traces are folded; None when it is empty, or most of the newest rows are old versions."""
    most = 2 * (query.offset + query.limit) + _SPARE
    params = asked.params | {"most": most, "limit": query.limit, "offset": query.offset}
    sql = render("traces", "newest_settled", starts=all_of(asked.filter.exact_starts, prefix="AND "))
    rows = await clickhouse.rows(sql, params, _Settled, settings=_ALIASES | _NEWEST_FIRST | ALONE)
    is_whole = len(rows) == query.limit or (rows and rows[0].looked_at < most)
    return [row.key() for row in rows] if is_whole else None


async def _newest(
    clickhouse: ClickHouse, query: TraceQuery, asked: _Asked, touched: Touched, settled: list[TraceKey] | None
) -> list[TraceKey] | None:
    """A page by time, out of the newest rows only; None when those do not suffice and all must be folded.

    Parts are read from the newest back until enough traces began in the window. A trace that began before the window
    may look newer than it is when its other parts lie far back: such traces are found by their ids and left out.
    """
    wanted = query.offset + query.limit
    recent = touched.recent_micros if wanted <= _RECENT_TRACES else 0
    if not recent and settled:
        recent = settled[-1].started  # what was written since can only move the end of the page to later times
    displaced: list[str] = []
    for _ in range(_TRIES):
        rows = await _newest_parts(clickhouse, query, asked, displaced, recent)
        if rows is None and recent:
            recent = 0
            rows = await _newest_parts(clickhouse, query, asked, displaced, recent)
        if rows is None:
            return None
        begun = await _beginnings(clickhouse, query.project_id, [row.id for row in rows])
        late = [row.id for row in rows if row.id in begun and begun[row.id].started < row.started]
        if not late:
            return [_key_of(begun[row.id]) for row in rows if row.id in begun]
        displaced += late
    return None


async def _newest_parts(
    clickhouse: ClickHouse, query: TraceQuery, asked: _Asked, displaced: list[str], recent: int
) -> list[_Newest] | None:
    """A page of what the newest parts say, those from `recent` on at most; None when they are too few for it."""
    binder = Binder(dict(asked.params))
    tests = [test.replace("trace.started", "timestamp", 1) for test in asked.filter.exact_starts]
    settings: dict[str, int] = _ALIASES | (_UNORDERED if recent else _NEWEST_FIRST)
    if recent:
        tests.append(f"timestamp >= {binder.time(recent)}")
    window = (query.offset + query.limit) * 2 + _MARGIN
    params = {"window": window, "limit": query.limit, "offset": query.offset, "displaced": displaced}
    sql = render("traces", "newest", bounds=all_of(tests, prefix="AND "))
    rows = await clickhouse.rows(sql, binder.params | params, _Newest, settings=settings)
    # Where the window ends, other parts of the same moment may be left out.
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
    # Parts do not tell where observations lie, but those of a trace are not far from them.
    return TraceKey(row.id, row.started, row.first_part - _DAY, row.last_part + _WEEK)
