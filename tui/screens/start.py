"""Nothing runs yet: starts the appliance and shows each step of it."""

from __future__ import annotations

from rich.text import Text
from textual import getters
from textual.app import ComposeResult
from textual.widgets import Static

from appliance.errors import ApplianceError
from tui import background
from tui.documents import Line
from tui.screens.base import AppScreen
from tui.widgets.document import Document


class StartScreen(AppScreen):
    """Goes away by itself when the appliance answers."""

    SCOPE = "start"
    CSS_PATH = "start.tcss"

    message = getters.query_one("#message", Static)
    steps = getters.query_one(Document)

    def __init__(self, reason: str, *, at_once: bool) -> None:
        super().__init__()
        self._reason = reason
        self._at_once = at_once
        self._lines: list[Line] = []

    def compose_body(self) -> ComposeResult:
        yield Static(id="message")
        yield Document()

    def on_mount(self) -> None:
        self.crumb = "Start"
        super().on_mount()
        palette = self.palette
        self.message.update(
            Text.assemble((self._reason, palette.text), ("\nPress s to start it now.", f"bold {palette.accent}"))
        )
        if self._at_once:
            self.action_start()

    def action_start(self) -> None:
        self.message.update(Text("Starting the appliance …", style=f"bold {self.palette.text}"))
        self._lines = []
        background.run(self, self._start, "start")

    async def _start(self) -> None:
        try:
            async for line in self.gateway.start():
                self._say(line)
        except ApplianceError as error:
            self.message.update(Text(str(error), style=self.palette.bad))
            return
        self.app.pop_screen()
        self.app.connect()

    def _say(self, line: str) -> None:
        self._lines.append(Line(Text.from_ansi(line), 2))
        self.steps.follows = True
        self.steps.show(self._lines, keep_place=True)

    def action_refresh_data(self) -> None:
        self.app.pop_screen()
        self.app.connect()
