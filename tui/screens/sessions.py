"""The session list."""

from __future__ import annotations

from typing import Final

from textual.app import ComposeResult

from appliance.model import format
from tui.model.records import SessionRow
from tui.screens.list_screen import ListScreen, PageSource
from tui.text.cells import Column
from tui.text.palette import Palette
from tui.widgets.virtual_table import RowCells, VirtualTable

COLUMNS: Final = (
    Column("created", "First seen", 24),
    Column("ago", "Ago", 6, "right", rank=1),
    Column("id", "Session", 20, flex=1),
    Column("env", "Environment", 14, rank=2),
)


class SessionsScreen(ListScreen[SessionRow]):
    """Every session, newest first."""

    SCOPE = "sessions"

    def compose_body(self) -> ComposeResult:
        yield VirtualTable(COLUMNS)

    def on_mount(self) -> None:
        self.crumb = "Sessions"
        super().on_mount()

    def page_source(self) -> PageSource[SessionRow]:
        return lambda page: self.gateway.session_page(page)

    def row_cells(self, row: SessionRow, palette: Palette) -> RowCells:
        age = (self.host.now() - row.created_at).total_seconds()
        return {
            "created": [(format.absolute(row.created_at)[:19], palette.muted)],
            "ago": [(format.ago(age), palette.text)],
            "id": [(row.id, palette.text)],
            "env": [(row.environment or "", palette.muted)],
        }

    def empty_text(self) -> str:
        return "No sessions yet: give your traces a session id to see them as conversations."

    def show_status(self) -> None:
        self.set_status(format.counted(len(self.rows), "session"))

    def open_row(self, row: SessionRow) -> None:
        self.host.open_session(row.id)

    def action_copy(self) -> None:
        if row := self.current:
            self.host.copy(row.id, "the session's id")
