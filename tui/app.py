"""The application: one stack of screens per number key, one connection, one state that is remembered."""

from __future__ import annotations

import asyncio
import signal
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import App
from textual.binding import BindingType
from textual.notifications import SeverityLevel
from textual.reactive import reactive
from textual.screen import ModalScreen
from textual.widgets import Input

from appliance.errors import ApplianceError, NotRunning, RemoteError
from appliance.model.printable import printable
from tui import background
from tui.api.gateway import Gateway, TraceQuery
from tui.commands import JUMP_HINT, AppCommands, parse_jump
from tui.host import Host, Jump
from tui.keymap import bindings
from tui.model.records import Health
from tui.screens import registry
from tui.screens.base import AppScreen
from tui.state import Remembered, StateFile
from tui.themes import DARK, SIXTEEN, THEMES

HEALTH_S = 5.0
"""Seconds between two checks of the server's health."""


class LangfuseApp(App[None]):
    """The terminal UI of one server."""

    TITLE = "langfuse-local"
    # The first screen's too: a screen that brings its own has all of them parsed again.
    CSS_PATH: ClassVar = ["app.tcss", "screens/traces.tcss"]
    MODES: ClassVar = {entry.name: entry.create for entry in registry.TABS}
    BINDINGS: ClassVar[list[BindingType]] = bindings(registry.GLOBAL)
    COMMANDS: ClassVar = {lambda: AppCommands}

    connection: reactive[str] = reactive("connecting")
    """connecting, refused (the keys), silent (never answered), ok, bad (the server says it is not well) or lost."""
    problem: reactive[str] = reactive("")
    dead_letters: reactive[int] = reactive(0)

    def __init__(
        self,
        gateway: Gateway,
        state_file: StateFile,
        *,
        starts: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`starts`: start the appliance at once when none runs; `now`: the clock that ages in lists are counted by."""
        self.state: Remembered = state_file.load()
        self.DEFAULT_MODE = self._first_mode()  # type: ignore[misc]  # Textual would show an empty screen before it
        super().__init__()
        self.now = now
        self.gateway = gateway
        self.state_file = state_file
        self.starts = starts
        self.is_ready = False
        self._first_run_offered = False
        for theme in THEMES:
            self.register_theme(theme)
        # Set before there are styles: a change of theme parses all of them again.
        self.set_reactive(App.theme, self._first_theme())
        self._first_variables = self.get_css_variables()
        self.stylesheet.set_variables(self._first_variables)

    @property
    def server_label(self) -> str:
        """The project and the address, for the top bar."""
        server = self.gateway.server
        address = server.url.removeprefix("http://").removeprefix("https://")
        return printable(f"{server.project}  {address}" if server.project else address)

    def _first_theme(self) -> str:
        if self.state.theme in self.available_themes:
            return self.state.theme
        return SIXTEEN.name if self.console.color_system == "standard" else DARK.name

    def refresh_css(self, animate: bool = True) -> None:
        """Parses all styles again; not while their colours are the first ones, as Textual asks thrice at the start."""
        if self._first_variables == self.get_css_variables():
            return
        self._first_variables = {}
        super().refresh_css(animate)

    def _first_mode(self) -> str:
        return self.state.screen if self.state.screen in self.MODES else registry.DEFAULT_TAB

    def on_load(self) -> None:
        """Before the terminal is taken: a signal that ends the program must give it back."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, partial(self.exit, return_code=128 + number))
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:  # it ended us at once until now; not by the loop, as
            end = partial(self.exit, return_code=128 + signal.SIGINT)  # an editor has it for a while (tui.outside)
            signal.signal(signal.SIGINT, lambda _number, _frame: loop.call_soon_threadsafe(end))

    def on_mount(self) -> None:
        self.theme = self._first_theme()
        self.switch_mode(self._first_mode())
        self.call_after_refresh(self.connect)

    def connect(self) -> None:
        """Connects to the server; offers to start an appliance, or starts it, when none runs."""
        background.run(self, self._connect, "connect")

    async def _connect(self) -> None:
        try:
            await self.gateway.connect()
        except NotRunning as error:
            self._offer_start(error)
            return
        except ApplianceError as error:
            self.report(error)
            self.connection = _connection_after(error)
            self.set_timer(3.0, self.connect)
            return
        self.is_ready = True
        self.connection = "ok"
        self.report(None)
        self._resume_screen()
        self.set_interval(HEALTH_S, self.ask_health)
        self.ask_health()
        await self._offer_first_run()

    def _offer_start(self, error: NotRunning) -> None:
        self.push_screen(registry.BY_NAME["start"].create(str(error), at_once=self.starts))

    async def _offer_first_run(self) -> None:
        if self._first_run_offered or (isinstance(self.screen, AppScreen) and self.screen.lists_all_traces):
            return
        try:
            page = await self.gateway.trace_page(TraceQuery(), 1)
        except ApplianceError as error:
            self.report(error)
            return
        self.offer_first_run_unless(bool(page.rows))

    def offer_first_run_unless(self, has_traces: bool) -> None:
        """Opens the first-run screen when the project has no traces; only the first call of a run counts."""
        if not self._first_run_offered:
            self._first_run_offered = True
            if not has_traces:
                self._open_first_run(is_first=True)

    def _resume_screen(self) -> None:
        # A screen that is still being composed resumes by itself once it shows.
        if isinstance(self.screen, AppScreen) and self.screen.is_mounted:
            self.screen.resume()

    def ask_health(self) -> None:
        background.run(self, self._health, "health")

    async def _health(self) -> None:
        try:
            health = await self.gateway.health()
        except ApplianceError as error:
            self.report(error)
            return
        self._show_health(health)

    def _show_health(self, health: Health) -> None:
        was = self.connection
        self.connection = "ok" if health.ok else "bad"
        if health.ok:
            self.dead_letters = health.dead_letters
        if health.ok and was in ("lost", "bad"):
            self.notify("Connected again." if was == "lost" else "The server is healthy again.")
            self.problem = ""
            self._resume_screen()
        elif not health.ok:
            reason = health.reason.rstrip(".") or "it does not say why"
            self.problem = f"The server is not healthy: {reason}."

    def report(self, error: ApplianceError | None) -> None:
        """Shows an error in the banner, or clears it when None; an unreachable server counts as connection lost."""
        if error is None:
            if self.connection not in ("bad", "lost"):
                self.problem = ""
            return
        self.problem = str(error)
        if isinstance(error, RemoteError) and error.status == 0 and self.is_ready:
            self.connection = "lost"

    def remember(self) -> None:
        """Saves the state."""
        self.state_file.save(self.state)

    def action_show(self, name: str) -> None:
        self.show_tab(name)

    def show_tab(self, name: str) -> None:
        """Goes to a screen with a tab, and whatever is open there; from within it, to the screen itself."""
        if name == self.current_mode:
            self._close_details()
            return
        self.switch_mode(name)
        self.state.screen = name
        self.remember()

    def show_tab_root(self, name: str) -> None:
        """Goes to a screen with a tab and closes whatever is open there."""
        if self.current_mode != name:
            self.show_tab(name)
        self._close_details()

    def _close_details(self) -> None:
        while len(self.screen_stack) > 1:
            self.pop_screen()

    def open_trace(self, trace_id: str, observation_id: str = "") -> None:
        """Goes into a trace, with the cursor on an observation; back to it when it lies below."""
        if not self._go_back_to(f"trace {trace_id}"):
            self.push_screen(registry.BY_NAME["trace"].create(trace_id, observation_id))

    def open_session(self, session_id: str) -> None:
        """Goes into a session; back to it when it lies below."""
        if not self._go_back_to(f"session {session_id}"):
            self.push_screen(registry.BY_NAME["session"].create(session_id))

    def _go_back_to(self, subject: str) -> bool:
        """Closes the screens above one that shows `subject`; False when none shows it."""
        subjects = [screen.subject if isinstance(screen, AppScreen) else "" for screen in self.screen_stack]
        if subject not in subjects:
            return False
        for _ in range(len(subjects) - 1 - subjects.index(subject)):
            self.pop_screen()
        return True

    def _leave_details(self) -> None:
        """Closes the traces and sessions that are open, which a jump replaces."""
        while len(self.screen_stack) > 1 and isinstance(self.screen, AppScreen) and self.screen.subject:
            self.pop_screen()

    def action_first_run(self) -> None:
        """The keys and the snippets."""
        self._open_first_run()

    def _open_first_run(self, *, is_first: bool = False) -> None:
        if not (isinstance(self.screen, AppScreen) and self.screen.SCOPE == "first_run"):
            self.push_screen(registry.BY_NAME["first_run"].create(is_first=is_first))

    def action_help(self) -> None:
        from tui.modals.help import HelpModal

        if isinstance(self.screen, AppScreen):
            entry = registry.BY_NAME[self.screen.SCOPE]
            self.push_screen(HelpModal(entry.title, [entry.actions, entry.moves, registry.GLOBAL]))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether a key may run an action: within a line of text, and over a dialog, `:` is a character."""
        return not (action == "jump" and (isinstance(self.focused, Input) or isinstance(self.screen, ModalScreen)))

    def action_jump(self) -> None:
        from tui.modals.prompt import PromptModal

        self.push_screen(PromptModal(":", JUMP_HINT), self._jump)

    def _jump(self, line: str | None) -> None:
        if line is not None:
            self.go(parse_jump(line))

    def go(self, jump: Jump | str) -> None:
        """Follows a parsed jump; a string is what was wrong with it."""
        if isinstance(jump, str):
            self.notify(jump, severity="warning")
        elif jump.verb == "show":
            self.show_tab(jump.argument)
        elif jump.verb == "trace":
            self._leave_details()
            self.open_trace(jump.argument)
        elif jump.verb == "session":
            self._leave_details()
            self.open_session(jump.argument)
        elif jump.verb == "theme":
            self.set_theme(jump.argument)
        elif jump.verb == "first-run":
            self.action_first_run()
        elif jump.verb == "quit":
            self.exit()

    def set_theme(self, name: str) -> None:
        """Changes the theme and remembers it."""
        if name not in self.available_themes:
            self.notify(f"There is no theme {name!r}.", severity="warning")
            return
        self.theme = name
        self.state.theme = name
        self.remember()

    def action_next_theme(self) -> None:
        names = sorted(self.available_themes)
        self.set_theme(names[(names.index(self.theme) + 1) % len(names)])
        self.notify(self.theme, timeout=1.5)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Shows a message as it is: it may hold texts of users and servers, so nothing in it is markup."""
        super().notify(printable(message, "\n"), title=title, severity=severity, timeout=timeout, markup=False)

    def copy(self, text: str, what: str) -> None:
        """Copies by OSC 52 and says so; halves of surrogate pairs, which cannot be written, become question marks."""
        self.copy_to_clipboard(text.encode(errors="replace").decode())
        self.notify(f"Copied {what} ({len(text):,} characters).", timeout=2)

    def _handle_exception(self, error: Exception) -> None:
        """Ignores errors while the application exits: screens lose their widgets before their requests end."""
        if self._exit:
            self._close_messages_no_wait()
        else:
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """Exits with one sentence; the traceback goes to a file, as it may hold texts of traces."""
        report = "".join(traceback.format_exception(self._exception))
        path = self.state_file.path.with_name("crash.log")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(report, encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            sentence = f"{path} cannot be written ({error.strerror}). Please report this:\n{report}"
        else:
            sentence = f"Please report {path}"
        # As Text, in which brackets are no markup.
        self.panic(Text(f"The terminal UI failed; the appliance goes on. {sentence}"))

    async def action_quit(self) -> None:
        self.remember()
        self.exit()

    async def on_unmount(self) -> None:
        await self.gateway.close()


def _connection_after(error: ApplianceError) -> str:
    refused = isinstance(error, RemoteError) and error.status in (401, 403)
    return "refused" if refused else "silent"


if TYPE_CHECKING:
    _is_host: type[Host] = LangfuseApp  # screens see the application as a Host without importing it
