"""Every observation, newest first: type, model, tokens, cost and latency."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Final

from textual import getters, on
from textual.app import ComposeResult

from appliance.model.observations import OBSERVATION_TYPES
from tui.api.gateway import PAGE_ROWS
from tui.lists.paged import PagedRows
from tui.modals.choice import ChoiceModal
from tui.model.records import Observation, Slice
from tui.screens.base import AppScreen
from tui.text import format
from tui.text.cells import Column
from tui.text.palette import ICONS, Palette
from tui.widgets.line_scroll import LineScroll
from tui.widgets.virtual_table import RowCells, VirtualTable

COLUMNS: Final = (
    Column("time", "Time", 10),
    Column("type", "Type", 10, rank=4),
    Column("name", "Name", 16, flex=2),
    Column("model", "Model", 16, flex=1, rank=1),
    Column("latency", "Latency", 8, "right"),
    Column("first", "1st token", 9, "right", rank=5),
    Column("tokens", "Tokens", 7, "right", rank=1),
    Column("speed", "Tok/s", 6, "right", rank=6),
    Column("cost", "Cost", 8, "right", rank=1),
    Column("status", "Status", 12, flex=2, rank=4),
    Column("prompt", "Prompt", 14, flex=1, rank=7),
)


class ObservationsScreen(AppScreen):
    """A table that opens the trace at the observation."""

    SCOPE = "observations"
    table = getters.query_one(VirtualTable)

    def __init__(self) -> None:
        super().__init__()
        self.rows: PagedRows[Observation] = PagedRows(PAGE_ROWS, lambda row: row.id)
        self._kind = ""

    def compose_body(self) -> ComposeResult:
        yield VirtualTable(COLUMNS)

    def on_mount(self) -> None:
        self.crumb = "Observations"
        super().on_mount()
        self.table.set_source(self._cells)
        self.table.focus()

    def _cells(self, index: int, palette: Palette) -> RowCells | None:
        row = self.rows.get(index)
        return observation_cells(row, self.app.now(), palette) if row else None

    def _conditions(self) -> list[dict[str, object]]:
        if not self._kind:
            return []
        return [{"type": "stringOptions", "column": "type", "operator": "any of", "value": [self._kind]}]

    def load(self) -> None:
        self.fetch(lambda: self.gateway.observation_page(self._conditions(), 1), self._show_first, group="first")

    def _show_first(self, found: Slice[Observation]) -> None:
        self.rows.clear()
        self.rows.put_page(1, found.rows, found.total)
        self.table.set_empty_text("" if found.rows else "No observations.")
        self.table.set_count(len(self.rows), cursor=0)
        kind = self._kind.lower() or "all types"
        self.say(f"{format.counted(len(self.rows), 'observation')} · {kind}")

    @on(VirtualTable.RowsWanted)
    def _fetch_missing(self, event: VirtualTable.RowsWanted) -> None:
        for page in self.rows.missing(event.first, event.last, ahead=PAGE_ROWS // 2):
            self.rows.requested.add(page)
            conditions = self._conditions()
            work = partial(self.gateway.observation_page, conditions, page)
            self.fetch(work, partial(self._show_page, page), group=f"page-{page}")

    def _show_page(self, page: int, found: Slice[Observation]) -> None:
        self.rows.put_page(page, found.rows, found.total)
        self.table.set_count(len(self.rows))

    @on(LineScroll.Opened)
    def action_open(self) -> None:
        row = self.rows.get(self.table.cursor)
        if row and row.trace_id:
            self.app.open_trace(row.trace_id, row.id)

    def action_kind(self) -> None:
        rows = [("all", "0", "all types")]
        rows += [(kind, str(i % 10) if i < 10 else "", kind.lower()) for i, kind in enumerate(OBSERVATION_TYPES, 1)]
        self.app.push_screen(ChoiceModal("Type", rows, self._kind or "all"), self._set_kind)

    def _set_kind(self, kind: str | None) -> None:
        if kind:
            self._kind = "" if kind == "all" else kind
            self.load()

    def action_copy(self) -> None:
        if row := self.rows.get(self.table.cursor):
            self.app.copy(row.id, "the id")


def observation_cells(row: Observation, now: datetime, palette: Palette) -> RowCells:
    """The cells of one observation."""
    level = row.level or "DEFAULT"
    color = palette.level(level) if level in ("ERROR", "WARNING") else palette.text
    answered = (row.usage_details or {}).get("output", 0)
    writing = (row.duration or 0) - (row.first_token_s or 0)
    return {
        "time": [(format.clock(row.start_time, now), palette.muted)],
        "type": [(row.type.lower(), palette.muted)],
        "name": [(ICONS.get(row.type, "▪") + " ", palette.kind(row.type)), (row.name or "", color)],
        "model": [(row.model_name, palette.muted)],
        "latency": [(format.duration(row.duration), palette.text)],
        "first": [(format.duration(row.first_token_s) if row.first_token_s else "", palette.muted)],
        "tokens": [(format.count(row.tokens) if row.tokens else "", palette.text)],
        "speed": [(format.count(answered / writing) if answered and writing > 0.001 else "", palette.muted)],
        "cost": [(format.cost(row.cost) if row.cost else "", palette.text)],
        "status": [(row.status_message or "", color)],
        "prompt": [(f"{row.prompt_name} v{row.prompt_version}" if row.prompt_name else "", palette.muted)],
    }
