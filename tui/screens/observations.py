"""Every observation, newest first: type, model, tokens, cost and latency."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Final

from textual.app import ComposeResult

from appliance.model import format
from appliance.model.observations import OBSERVATION_TYPES
from tui.modals.choice import ChoiceModal
from tui.model.records import Observation
from tui.screens.list_screen import ListScreen, PageSource
from tui.text.cells import Column
from tui.text.palette import ICONS, Palette
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


class ObservationsScreen(ListScreen[Observation]):
    """A table that opens the trace at the observation."""

    SCOPE = "observations"

    def __init__(self) -> None:
        super().__init__()
        self._type = ""
        """The only type that is listed; empty for all."""

    def compose_body(self) -> ComposeResult:
        yield VirtualTable(COLUMNS)

    def on_mount(self) -> None:
        self.crumb = "Observations"
        super().on_mount()

    def page_source(self) -> PageSource[Observation]:
        conditions = []
        if self._type:
            conditions = [{"type": "stringOptions", "column": "type", "operator": "any of", "value": [self._type]}]
        return partial(self.gateway.observation_page, conditions)

    def row_cells(self, row: Observation, palette: Palette) -> RowCells:
        return observation_cells(row, self.host.now(), palette)

    def empty_text(self) -> str:
        return "No observations."

    def show_status(self) -> None:
        self.set_status(f"{format.counted(len(self.rows), 'observation')} · {self._type.lower() or 'all types'}")

    def open_row(self, row: Observation) -> None:
        if row.trace_id:
            self.host.open_trace(row.trace_id, row.id)

    def action_type(self) -> None:
        rows = [("all", "0", "all types")]
        rows += [(name, str(i) if i < 10 else "", name.lower()) for i, name in enumerate(OBSERVATION_TYPES, 1)]
        self.app.push_screen(ChoiceModal("Type", rows, self._type or "all"), self._set_type)

    def _set_type(self, name: str | None) -> None:
        if name:
            self._type = "" if name == "all" else name
            self.load()

    def action_copy(self) -> None:
        if row := self.current:
            self.host.copy(row.id, "the id")


def observation_cells(row: Observation, now: datetime, palette: Palette) -> RowCells:
    """The cells of one observation."""
    level = row.level or "DEFAULT"
    color = palette.level(level) if level in ("ERROR", "WARNING") else palette.text
    output_tokens = (row.usage_details or {}).get("output", 0)
    writing = (row.duration or 0) - (row.first_token_s or 0)
    return {
        "time": [(format.clock(row.start_time, now), palette.muted)],
        "type": [(row.type.lower(), palette.muted)],
        "name": [(ICONS.get(row.type, "▪") + " ", palette.kind(row.type)), (row.name or "", color)],
        "model": [(row.model_name, palette.muted)],
        "latency": [(format.duration(row.duration), palette.text)],
        "first": [(format.duration(row.first_token_s) if row.first_token_s else "", palette.muted)],
        "tokens": [(format.count(row.tokens) if row.tokens else "", palette.text)],
        "speed": [(format.count(output_tokens / writing) if output_tokens and writing > 0.001 else "", palette.muted)],
        "cost": [(format.cost(row.cost) if row.cost else "", palette.text)],
        "status": [(row.status_message or "", color)],
        "prompt": [(f"{row.prompt_name} v{row.prompt_version}" if row.prompt_name else "", palette.muted)],
    }
