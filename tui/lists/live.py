"""How a list of traces has changed since it was fetched; takes in all that arrived, whenever they began; no widgets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from msgspec.structs import replace

from tui.api.gateway import TraceQuery
from tui.lists.paged import PagedRows
from tui.model.records import Slice, TraceRow

PageOf = Callable[[TraceQuery, int], Awaitable[Slice[TraceRow]]]


class View(msgspec.Struct, frozen=True):
    """A row that keeps its place on the screen while the list changes."""

    row: TraceRow
    index: int
    above: int
    """Rows that show above it."""
    height: int
    """Rows that show."""


class ListUpdate(msgspec.Struct, frozen=True):
    """The list as it is now."""

    total: int | None
    pages: dict[int, list[TraceRow]]
    index: int
    """Where the row of the view is now; 0 without a view."""
    is_longer_or_moved: bool
    """False when the same traces stand at the top of a list of the same length."""


def count_waiting(first: Slice[TraceRow], rows: PagedRows[TraceRow]) -> int:
    """How many traces the server has and the list has not, by the server's first page."""
    if first.total is None:
        return sum(1 for row in first.rows if rows.find(row.id) is None)
    return max(first.total - len(rows), 0)


async def fetch_update(
    page_of: PageOf, query: TraceQuery, rows: PagedRows[TraceRow], first: Slice[TraceRow], view: View | None
) -> ListUpdate:
    """The pages that the screen needs now, given the first one; asks by order of time, newest first, for the others.

    The list is the server's at any moment, so nothing is missed, however many traces arrived and whenever they began.
    """
    is_same = first.total in (None, len(rows)) and [row.id for row in first.rows] == _top_ids(rows, len(first.rows))
    pages = {1: first.rows}
    if is_same or view is None:
        return ListUpdate(first.total, pages, view.index if view else 0, not is_same)
    if (index := _index_in(pages, view.row.id, rows.page_rows)) is None:
        until_it = await page_of(replace(query, since=view.row.timestamp), 1)
        index = view.index if until_it.total is None else max(until_it.total - 1, 0)
    for number in rows.pages_of(index - view.above, index - view.above + view.height):
        if number not in pages:
            pages[number] = (await page_of(query, number)).rows
    exact = _index_in(pages, view.row.id, rows.page_rows)  # traces may have begun at the same moment
    return ListUpdate(first.total, pages, index if exact is None else exact, is_longer_or_moved=True)


def _top_ids(rows: PagedRows[TraceRow], count: int) -> list[str]:
    return [row.id for index in range(count) if (row := rows.get(index))]


def _index_in(pages: dict[int, list[TraceRow]], trace_id: str, page_rows: int) -> int | None:
    for number, page in pages.items():
        for place, row in enumerate(page):
            if row.id == trace_id:
                return (number - 1) * page_rows + place
    return None
