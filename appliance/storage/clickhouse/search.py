"""Free text: which traces and observations say it, found by the index of their words."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import msgspec

from appliance.errors import QueryTooExpensive
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.queries import render
from appliance.storage.clickhouse.where import Binder

ROWS_PER_TRACE: Final = 40
"""How many observations with a common word are looked at for each trace wanted."""
SOME_ROWS: Final = 1000
_HOUR: Final = 3_600_000_000

# The index splits at everything that is no ASCII letter or digit, but keeps other scripts' letters whole.
_ONE_WORD: Final = re.compile(r"[a-z0-9]+")
_ANY_WORD: Final = re.compile(r"[a-z0-9\u0080-\U0010ffff]")


def observation_says(text: str, binder: Binder) -> str:
    """The test of an observation that says `text`, in whatever case, with all its words whole."""
    return _says(render("search", "observation_text"), text.lower(), binder)


def traces_that_say(text: str, binder: Binder, since_micros: int) -> str:
    """The subquery of ids of traces that say `text`, or are called so, in rows from `since_micros` on."""
    lowered = text.lower()
    return render(
        "search",
        "traces",
        observation_says=_says(render("search", "observation_text"), lowered, binder),
        part_says=_says(render("search", "part_text"), lowered, binder),
        text=binder.bind(text),
        since=binder.time(since_micros),
    )


@asynccontextmanager
async def explained(clickhouse: ClickHouse) -> AsyncIterator[None]:
    """Says why a search takes too long while the index of words is still being built for what was stored before it."""
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


async def reach_of(clickhouse: ClickHouse, project_id: str, text: str, traces: int) -> int | None:
    """From when on there are likely enough observations with the words of `text` to make so many traces.

    None when so few observations have them that all can be looked at. Microseconds since the epoch.
    """
    most = traces * ROWS_PER_TRACE + SOME_ROWS
    binder = Binder({"project_id": project_id, "most": most})
    has = _has_words(render("search", "observation_text"), text.lower(), binder)
    if not has:
        return None
    sql = render("search", "reach", observation_has=has)
    [reach] = await clickhouse.rows(sql, binder.params, _Reach)
    return reach.since_micros - _HOUR if reach.found == most else None


def _has_words(sql: str, lowered: str, binder: Binder) -> str:
    return f"hasAllTokens({sql}, {binder.bind(lowered)})" if _ANY_WORD.search(lowered) else ""


def _says(sql: str, lowered: str, binder: Binder) -> str:
    has_words = _has_words(sql, lowered, binder)
    if _ONE_WORD.fullmatch(lowered):
        return has_words  # the index alone can tell, without reading the texts
    contains = f"position({sql}, {binder.bind(lowered)}) > 0"
    return f"({has_words} AND {contains})" if has_words else contains
