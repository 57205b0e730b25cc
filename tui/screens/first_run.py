"""The first minutes: the keys, a snippet per language, and the wait for the first trace."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from rich.text import Text
from textual import getters, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static, Tab, Tabs

from appliance.errors import ApplianceError
from appliance.model.client_variables import dotenv_lines, langfuse_variables
from tui import background
from tui.api.gateway import TraceQuery
from tui.content.documents import Line
from tui.content.snippets import Snippet, snippets
from tui.model.records import TraceRow, time_of
from tui.screens.base import AppScreen
from tui.widgets.document import Document

POLL_S: Final = 1.0
SPINNER: Final = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class FirstRunScreen(AppScreen):
    """Shown by itself while there are no traces, and on key 0 later."""

    SCOPE = "first_run"
    CSS_PATH = "first_run.tcss"

    tabs = getters.query_one(Tabs)
    snippet = getters.query_one("#snippet", Document)
    keys = getters.query_one("#keys", Static)
    waiting = getters.query_one("#waiting", Static)

    def __init__(self, *, is_first: bool = False) -> None:
        """`is_first`: the project was empty a moment ago, so any trace has just come in."""
        super().__init__()
        self.received: TraceRow | None = None
        self.known_ids: set[str] | None = set() if is_first else None
        """Ids of the traces that were there at first; None before they were fetched."""
        self._snippets: list[Snippet] = []
        self._tick = 0

    def compose_body(self) -> ComposeResult:
        yield Static(id="welcome")
        yield Static(id="keys")
        yield Tabs(*(Tab(one.title, id=one.key) for one in snippets("", "", "")))
        with Vertical(id="snippet-pane"):
            yield Document(id="snippet")
        yield Static(id="waiting")

    def on_mount(self) -> None:
        self.crumb = "Send a first trace"
        super().on_mount()
        self.tabs.can_focus = False
        self.set_interval(0.1, self._spin)

    def load(self) -> None:
        self.is_loaded = True
        server, palette = self.gateway.server, self.palette
        self._snippets = snippets(server.url, server.public_key, server.secret_key, is_appliance=server.local)
        self.query_one("#welcome", Static).update(
            Text.assemble(
                ("Point any Langfuse SDK or OpenTelemetry exporter here.", f"bold {palette.text}"),
                ("\nPaste a snippet into another terminal; the trace appears on this screen.", palette.muted),
            )
        )
        rows = (("address", server.url), ("public key", server.public_key), ("secret key", server.secret_key))
        self.keys.update(
            Text("\n").join(
                Text.assemble((f"{name:<12}", palette.faint), (value, palette.accent)) for name, value in rows
            )
        )
        self._show_snippet()
        background.run(self, self._wait, "wait")
        background.run(self, self._listen, "listen")

    async def _listen(self) -> None:
        """Waits for a trace of the live stream, also one with an old start; `_wait` serves servers without a stream."""
        while self.received is None:
            with suppress(ApplianceError):
                async for ids in self.gateway.live():
                    if ids and self.known_ids is not None:
                        trace = await self.gateway.trace(ids[0])
                        self._show_received(
                            TraceRow(id=trace.id, timestamp=time_of(trace.timestamp), name=trace.name or "")
                        )
                        return
            await asyncio.sleep(POLL_S)

    async def _wait(self) -> None:
        """Fetches the newest traces until one is new."""
        while self.received is None:
            try:
                page = await self.gateway.trace_page(TraceQuery(), 1)
            except ApplianceError as error:
                self.host.report(error)
            else:
                self.host.report(None)
                self._receive(page.rows)
            await asyncio.sleep(POLL_S)

    def _receive(self, rows: list[TraceRow]) -> None:
        ids = {row.id for row in rows}
        if self.known_ids is None:
            self.known_ids = ids
        if fresh := [row for row in rows if row.id not in self.known_ids]:
            self._show_received(fresh[0])

    def _spin(self) -> None:
        if self.received is None:
            self._tick += 1
            mark, palette = SPINNER[self._tick % len(SPINNER)], self.palette
            self.waiting.update(Text.assemble((f"{mark} ", palette.accent), ("waiting for a trace …", palette.muted)))

    def _show_received(self, row: TraceRow) -> None:
        palette = self.palette
        self.received = row
        self.waiting.update(
            Text.assemble(
                ("✓ received! ", f"bold {palette.good}"),
                (row.name or "unnamed", f"bold {palette.text}"),
                ("   press ⏎ to open it", palette.muted),
            )
        )

    @property
    def _snippet(self) -> Snippet | None:
        return next((one for one in self._snippets if one.key == self.tabs.active), None)

    @on(Tabs.TabActivated)
    def _show_snippet(self) -> None:
        if one := self._snippet:
            palette = self.palette
            lines = [
                Line(Text(row, style=palette.faint if row.startswith("#") else palette.text), 4)
                for row in one.text.splitlines()
            ]
            self.snippet.show(lines)

    def action_next_tab(self) -> None:
        self.tabs.action_next_tab()

    def action_previous_tab(self) -> None:
        self.tabs.action_previous_tab()

    def action_copy(self) -> None:
        if one := self._snippet:
            self.host.copy(one.text, f"the {one.title} snippet")

    def action_copy_keys(self) -> None:
        server = self.gateway.server
        values = langfuse_variables(server.url, server.public_key, server.secret_key)
        self.host.copy(dotenv_lines(values) + "\n", "the keys")

    def action_open_received(self) -> None:
        if self.received is not None:
            trace_id = self.received.id
            self.app.pop_screen()
            self.host.show_tab_root("traces")
            self.host.open_trace(trace_id)
