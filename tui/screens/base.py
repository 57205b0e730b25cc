"""The base of all screens: the bars around them, their keys from the registry, and how they fetch."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable
from functools import partial
from typing import ClassVar, TypeVar

from rich.text import Text
from textual import getters
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import Input

from appliance.errors import ApplianceError
from tui import background
from tui.api.gateway import Gateway
from tui.host import Host, host_of
from tui.keymap import bindings
from tui.screens import registry
from tui.text.palette import Palette, palette_of
from tui.widgets.bars import Banner, CrumbBar, KeyBar, TopBar

T = TypeVar("T")


class AppScreen(Screen[None]):
    """A screen of the appliance: bars above and below, its own body between them."""

    SCOPE: ClassVar[str]
    """Its name in the registry."""
    BINDINGS: ClassVar[list[BindingType]] = []
    AUTO_FOCUS: ClassVar[str | None] = None
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012

    crumb: reactive[str] = reactive("")
    subject = ""
    """`trace ID` or `session ID` where the screen shows one of them."""
    is_loaded = False

    top_bar = getters.query_one(TopBar)
    crumb_bar = getters.query_one(CrumbBar)
    banner = getters.query_one(Banner)

    def __init_subclass__(cls) -> None:
        if scope := cls.__dict__.get("SCOPE"):
            cls.BINDINGS = bindings(registry.BY_NAME[scope].actions)
        super().__init_subclass__()

    def compose(self) -> ComposeResult:
        yield TopBar([(entry.key, entry.name, entry.title) for entry in registry.TABS])
        yield CrumbBar()
        yield Banner()
        with Vertical(id="body"):
            yield from self.compose_body()
        yield KeyBar([*registry.BY_NAME[self.SCOPE].actions, *registry.GLOBAL])

    @abstractmethod
    def compose_body(self) -> ComposeResult:
        """The widgets between the bars."""

    @property
    def host(self) -> Host:
        return host_of(self.app)

    @property
    def gateway(self) -> Gateway:
        return self.host.gateway

    @property
    def palette(self) -> Palette:
        return palette_of(self.app.theme_variables)

    @property
    def lists_all_traces(self) -> bool:
        """Whether the screen lists all traces, and so notices when there is none."""
        return False

    def on_mount(self) -> None:
        self.watch(self.app, "problem", self._show_problem)
        self.watch(self.app, "connection", self._show_connection)
        self.watch(self.app, "dead_letters", self._show_dead_letters)
        self.watch(self.app, "theme", lambda: self.refresh_styles(), init=False)
        self._show_crumbs()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether a key may run an action: within a line of text `/` is a character."""
        return not (action == "filter" and isinstance(self.focused, Input))

    def on_screen_resume(self) -> None:
        self._show_crumbs()
        if self.host.is_ready:
            self.resume()

    def resume(self) -> None:
        """The screen shows again, or the server answers for the first time; fetches what is missing."""
        if not self.is_loaded:
            self.load()

    def load(self) -> None:
        """Fetches everything that the screen shows."""

    def action_refresh_data(self) -> None:
        self.load()

    def action_back(self) -> None:
        if len(self.app.screen_stack) > 1:
            self.app.pop_screen()

    def refresh_styles(self) -> None:
        """Draws content again that was built with the old colours; called when the theme changes."""
        self.refresh(recompose=False)

    def fetch(self, work: Callable[[], Awaitable[T]], then: Callable[[T], None], *, group: str = "load") -> None:
        """Runs `work`, then hands its answer to `then`; a newer fetch of the same group replaces an older one.

        An expected error becomes the banner's sentence.
        """
        background.run(self, partial(self._fetch, work, then), group)

    async def _fetch(self, work: Callable[[], Awaitable[T]], then: Callable[[T], None]) -> None:
        self.crumb_bar.is_busy = True
        try:
            answer = await work()
        except ApplianceError as error:
            self.host.report(error)
        else:
            self.host.report(None)
            if self.is_attached:  # it may have been closed meanwhile
                self.is_loaded = True
                then(answer)
        finally:
            if self.is_attached and self.is_mounted:
                self.crumb_bar.is_busy = False

    def set_status(self, status: Text | str) -> None:
        """The text at the right of the second line."""
        self.crumb_bar.status = Text(status, style=self.palette.muted) if isinstance(status, str) else status

    def watch_crumb(self) -> None:
        if self.is_mounted:
            self._show_crumbs()

    def _show_crumbs(self) -> None:
        if not self.is_mounted:
            return
        stack = [screen for screen in self.app.screen_stack if isinstance(screen, AppScreen)]
        self.crumb_bar.crumbs = tuple(screen.crumb for screen in stack)
        self.top_bar.mode = self.app.current_mode

    def _show_problem(self, problem: str) -> None:
        self.banner.text = problem

    def _show_dead_letters(self, count: int) -> None:
        self.top_bar.dead_letters = count

    def _show_connection(self, connection: str) -> None:
        self.top_bar.state = connection
        self.top_bar.server = self.host.server_label
