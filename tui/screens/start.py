"""The screen when no appliance runs: it starts one and shows each step."""

from __future__ import annotations

from functools import partial

from rich.text import Text
from textual import getters
from textual.app import ComposeResult
from textual.widgets import Static

from appliance.errors import ApplianceError
from tui import background
from tui.content.documents import Line
from tui.screens.base import AppScreen
from tui.widgets.document import Document

_CHOICE = "s starts it now; d starts it with the stores in Docker."


class StartScreen(AppScreen):
    """Closes itself when the appliance answers."""

    SCOPE = "start"
    CSS_PATH = "start.tcss"

    message = getters.query_one("#message", Static)
    steps = getters.query_one(Document)

    def __init__(self, reason: str, *, at_once: bool) -> None:
        super().__init__()
        self._reason = reason
        self._at_once = at_once
        self._lines: list[Line] = []
        self._last = ""
        self._is_starting = False

    def compose_body(self) -> ComposeResult:
        yield Static(id="message")
        yield Document()

    def on_mount(self) -> None:
        self.crumb = "Start"
        super().on_mount()
        palette = self.palette
        self.message.update(Text.assemble((self._reason, palette.text), (f"\n{_CHOICE}", f"bold {palette.accent}")))
        if self._at_once:
            self.action_start()

    def action_start(self) -> None:
        self._start_with("")

    def action_start_in_docker(self) -> None:
        self._start_with("docker")

    def _start_with(self, runtime: str) -> None:
        if self._is_starting:
            return
        self._is_starting = True
        self.message.update(Text("Starting the appliance …", style=f"bold {self.palette.text}"))
        self._lines, self._last = [], ""
        background.run(self, partial(self._start, runtime), "start")

    async def _start(self, runtime: str) -> None:
        try:
            async for line in self.gateway.start(runtime):
                self._show_line(line)
        except ApplianceError as error:
            self.message.update(Text(f"{error}\n{_CHOICE}", style=self.palette.bad))
            return
        finally:
            self._is_starting = False
        self.app.pop_screen()
        self.host.connect()

    def _show_line(self, line: str) -> None:
        if _is_next_share(line, self._last):
            self._lines.pop()
        self._last = line
        self._lines.append(Line(Text.from_ansi(line), 2))
        self.steps.follows = True
        self.steps.show(self._lines, keep_place=True)

    def action_refresh_data(self) -> None:
        self.app.pop_screen()
        self.host.connect()


def _is_next_share(line: str, last: str) -> bool:
    """Whether a line shows progress of the same download as the line before, which it then replaces."""
    image, _, share = line.partition(": ")
    return "fetching" in image and " % of " in share and last.partition(": ")[0] == image
