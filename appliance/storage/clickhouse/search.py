"""Free-text search: finds traces and observations by the text index of their words."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import msgspec

from appliance.errors import QueryTooExpensive
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.queries import render
from appliance.storage.clickhouse.where import Binder
from appliance.storage.clickhouse.words import has_words, plain

ROWS_PER_TRACE: Final = 40
"""Observations with a common word that are read for each wanted trace."""
SOME_ROWS: Final = 1000
FEW_ROWS: Final = 3000
"""With fewer observations than these, all traces of a word are looked up at once, whatever the page."""
FEW_TRACES: Final = 2000
# Ids are sent in the address of a request; ClickHouse accepts 128 KiB for one value.
_FEW_CHARACTERS: Final = 100_000
_HOUR: Final = 3_600_000_000

# Latin, Greek, Cyrillic, Hebrew and Arabic letters: such a word is one word of the index, too.
_ONE_WORD: Final = re.compile(
    r"[0-9A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01bf\u0388-\u03ce\u0400-\u0481\u05d0-\u05ea\u0621-\u064a]+"
)


@dataclass(frozen=True, slots=True)
class Search:
    """The results of a search in the index, before any trace is read."""

    few: Mapping[str, list[str]] = field(default_factory=dict)
    """The traces that hold a text, for each text that few traces hold."""
    since: int = 0
    """Time from which on a page of the newest traces is likely full; microseconds since the epoch, 0 for no bound."""


def observation_contains(text: str, binder: Binder) -> str:
    """The test of observations that hold all words of `text`, in any case."""
    return _contains(render("search", "observation_text"), text, binder)


def traces_with_text(text: str, binder: Binder, since_micros: int) -> str:
    """The subquery of the ids of traces that hold `text`, in rows from `since_micros` on; 0 for all."""
    # Without a bound the times of rows in the index need not be read.
    since = f">= {binder.time(since_micros)}" if since_micros else ""
    return render(
        "search",
        "traces",
        observation_test=_contains(render("search", "observation_text"), text, binder),
        part_test=_contains(render("search", "part_text"), text, binder),
        text=binder.bind(text),
        started=f"AND start_time {since}" if since else "",
        part_bound=f"AND timestamp {since}" if since else "",
    )


@asynccontextmanager
async def explained(clickhouse: ClickHouse) -> AsyncIterator[None]:
    """Explains in an error that the text index is still being built for older rows, when a search takes too long."""
    try:
        yield
    except QueryTooExpensive as error:
        building = await clickhouse.rows(render("search", "building"), {}, _Building)
        if not building[0].parts:
            raise
        raise QueryTooExpensive(
            "The index of words is still being built for older data, and reading that without it took too long.",
            hint="Search a shorter time range, or later again.",
        ) from error


class _Building(msgspec.Struct):
    parts: int


class _Reach(msgspec.Struct):
    found: int
    since_micros: int


async def search_of(clickhouse: ClickHouse, project_id: str, texts: Sequence[str], newest: int | None) -> Search:
    """Search `texts` in the index; `newest` is the number of newest traces that are wanted, None for all.

    Raises QueryTooExpensive and StoreUnavailable.
    """
    ids_by_text = await asyncio.gather(*(_few_that_say(clickhouse, project_id, text) for text in texts))
    few = {text: ids for text, ids in zip(texts, ids_by_text, strict=True) if ids is not None}
    if not texts or few or newest is None:
        return Search(few)
    reaches = await asyncio.gather(*(_reach_of(clickhouse, project_id, text, newest) for text in texts))
    known = [reach for reach in reaches if reach is not None]
    return Search(since=min(known) if len(known) == len(texts) else 0)


class _Hits(msgspec.Struct):
    found: int


class _TraceId(msgspec.Struct):
    trace_id: str


async def _few_that_say(clickhouse: ClickHouse, project_id: str, text: str) -> list[str] | None:
    """The ids of all traces that hold `text`, or None when too many observations have its words."""
    binder = Binder({"project_id": project_id, "most": FEW_TRACES + 1})
    has = _has_words(render("search", "observation_text"), text, binder)
    if not has:
        return None
    [hits] = await clickhouse.rows(render("search", "hits", observation_has=has), binder.params, _Hits)
    if hits.found >= FEW_ROWS:
        return None
    sql = render("search", "few", traces=traces_with_text(text, binder, 0))
    ids = [row.trace_id for row in await clickhouse.rows(sql, binder.params, _TraceId)]
    return ids if len(ids) <= FEW_TRACES and sum(map(len, ids)) < _FEW_CHARACTERS else None


async def _reach_of(clickhouse: ClickHouse, project_id: str, text: str, traces: int) -> int | None:
    """The time from which on enough observations with the words of `text` are likely to give that many traces.

    In microseconds since the epoch; None when so few observations have the words that all can be read.
    """
    most = traces * ROWS_PER_TRACE + SOME_ROWS
    binder = Binder({"project_id": project_id, "most": most})
    has = _has_words(render("search", "observation_text"), text, binder)
    if not has:
        return None
    sql = render("search", "reach", observation_has=has)
    [reach] = await clickhouse.rows(sql, binder.params, _Reach)
    return reach.since_micros - _HOUR if reach.found == most else None


def _has_words(sql: str, text: str, binder: Binder) -> str:
    return has_words(sql, plain(text), binder.bind(plain(text)))


def _contains(sql: str, text: str, binder: Binder) -> str:
    has = _has_words(sql, text, binder)
    if has and _ONE_WORD.fullmatch(text):
        return has  # answered by the index alone, without reading the texts
    sought = render("search", "normalised", text=binder.bind(plain(text)))
    contains = f"position({render('search', 'normalised', text=sql)}, {sought}) > 0"
    return f"({has} AND {contains})" if has else contains
