"""The base of the screens that show one long list."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Generic, Protocol, TypeVar

from textual import getters, on

from tui.api.gateway import PAGE_ROWS
from tui.lists.paged import PagedRows
from tui.model.records import Slice
from tui.screens.base import AppScreen
from tui.text.palette import Palette
from tui.widgets.line_scroll import LineScroll
from tui.widgets.virtual_table import RowCells, VirtualTable


class Identified(Protocol):
    """A row with an id of its own."""

    @property
    def id(self) -> str: ...


Row = TypeVar("Row", bound=Identified)
PageSource = Callable[[int], Awaitable[Slice[Row]]]
"""Fetches a page (from 1) of one list: the filter and order are those of when `page_source` was called."""


class ListScreen(AppScreen, Generic[Row]):
    """A table whose rows are fetched a page at a time, as they come into view."""

    table = getters.query_one(VirtualTable)

    def __init__(self) -> None:
        super().__init__()
        self.rows: PagedRows[Row] = PagedRows(PAGE_ROWS, lambda row: row.id)
        self._source: PageSource[Row] | None = None

    @abstractmethod
    def page_source(self) -> PageSource[Row] | None:
        """How pages are fetched with the present filter and order; None when the filter cannot be read."""

    @abstractmethod
    def row_cells(self, row: Row, palette: Palette) -> RowCells:
        """The cells of one row."""

    @abstractmethod
    def empty_text(self) -> str:
        """The text of an empty table, with what to do about it."""

    @abstractmethod
    def show_status(self) -> None:
        """Shows the number of rows at the right of the second line."""

    def open_row(self, row: Row) -> None:
        """Goes into a row; does nothing in a list whose rows have no screen of their own."""

    @property
    def current(self) -> Row | None:
        """The row at the cursor, if it was fetched already."""
        return self.rows.get(self.table.cursor)

    def on_mount(self) -> None:
        super().on_mount()
        self.table.set_source(self._cells_at)
        self.table.focus()

    def load(self) -> None:
        """Fetches the list anew, from its first page."""
        if (source := self.page_source()) is not None:
            self._source = source
            self.fetch(lambda: source(1), self.show_first_page, group="first")

    def show_first_page(self, page: Slice[Row]) -> None:
        """Replaces the list by its first page."""
        self.rows.restart({1: page.rows}, page.total)
        self.table.set_empty_text("" if page.rows else self.empty_text())
        self.table.set_count(len(self.rows), cursor=0)
        self.show_status()

    def show_page(self, number: int, page: Slice[Row]) -> None:
        """Adds a page to the list."""
        self.rows.put_page(number, page.rows, page.total)
        self.table.set_count(len(self.rows))
        self.show_status()

    def _cells_at(self, index: int, palette: Palette) -> RowCells | None:
        row = self.rows.get(index)
        return None if row is None else self.row_cells(row, palette)

    @on(VirtualTable.RowsWanted)
    def _fetch_missing(self, event: VirtualTable.RowsWanted) -> None:
        if (source := self._source) is None:
            return
        for number in self.rows.missing(event.first, event.last, ahead=PAGE_ROWS // 2):
            self.rows.requested.add(number)
            self.fetch(partial(source, number), partial(self._page_fetched, source, number), group=f"page-{number}")

    def _page_fetched(self, source: PageSource[Row], number: int, page: Slice[Row]) -> None:
        if source is self._source:  # else the filter or order has changed since
            self.show_page(number, page)

    @on(LineScroll.Opened)
    def _row_opened(self, event: LineScroll.Opened) -> None:
        if event.sender is self.table:
            self.action_open()

    def action_open(self) -> None:
        if (row := self.current) is not None:
            self.open_row(row)
