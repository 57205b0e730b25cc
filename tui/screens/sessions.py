"""The session list."""

from __future__ import annotations

from functools import partial
from typing import Final

from textual import getters, on
from textual.app import ComposeResult

from tui.api.gateway import PAGE_ROWS
from tui.lists.paged import PagedRows
from tui.model.records import SessionRow, Slice
from tui.screens.base import AppScreen
from tui.text import format
from tui.text.cells import Column
from tui.text.palette import Palette
from tui.widgets.line_scroll import LineScroll
from tui.widgets.virtual_table import RowCells, VirtualTable

COLUMNS: Final = (
    Column("created", "First seen", 24),
    Column("ago", "Ago", 6, "right", rank=1),
    Column("id", "Session", 20, flex=1),
    Column("env", "Environment", 14, rank=2),
)


class SessionsScreen(AppScreen):
    """Every session, newest first."""

    SCOPE = "sessions"
    table = getters.query_one(VirtualTable)

    def __init__(self) -> None:
        super().__init__()
        self.rows: PagedRows[SessionRow] = PagedRows(PAGE_ROWS, lambda row: row.id)

    def compose_body(self) -> ComposeResult:
        yield VirtualTable(COLUMNS)

    def on_mount(self) -> None:
        self.crumb = "Sessions"
        super().on_mount()
        self.table.set_source(self._cells)
        self.table.focus()

    def _cells(self, index: int, palette: Palette) -> RowCells | None:
        row = self.rows.get(index)
        if row is None:
            return None
        now = self.app.now()
        return {
            "created": [(format.absolute(row.created_at)[:19], palette.muted)],
            "ago": [(format.ago((now - row.created_at).total_seconds()), palette.text)],
            "id": [(row.id, palette.text)],
            "env": [(row.environment or "", palette.muted)],
        }

    def load(self) -> None:
        self.fetch(lambda: self.gateway.session_page(1), self._show_first, group="first")

    def _show_first(self, found: Slice[SessionRow]) -> None:
        self.rows.clear()
        self.rows.put_page(1, found.rows, found.total)
        self.table.set_empty_text(
            "" if found.rows else "No sessions yet: give your traces a session id to see them as conversations."
        )
        self.table.set_count(len(self.rows))
        self.say(format.counted(len(self.rows), "session"))

    @on(VirtualTable.RowsWanted)
    def _fetch_missing(self, event: VirtualTable.RowsWanted) -> None:
        for page in self.rows.missing(event.first, event.last, ahead=PAGE_ROWS // 2):
            self.rows.requested.add(page)
            work = partial(self.gateway.session_page, page)
            self.fetch(work, partial(self._show_page, page), group=f"page-{page}")

    def _show_page(self, page: int, found: Slice[SessionRow]) -> None:
        self.rows.put_page(page, found.rows, found.total)
        self.table.set_count(len(self.rows))

    @on(LineScroll.Opened)
    def action_open(self) -> None:
        if row := self.rows.get(self.table.cursor):
            self.app.open_session(row.id)

    def action_copy(self) -> None:
        if row := self.rows.get(self.table.cursor):
            self.app.copy(row.id, "the session's id")
