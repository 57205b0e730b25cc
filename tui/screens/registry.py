"""The table of screens: the application, the bars, help, the palette and the jump line take them from here."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

import msgspec
from textual.screen import Screen

from tui import keymap
from tui.keymap import Action


class ScreenEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One screen: how it is reached, what it is called, and its keys."""

    name: str
    """Its class's SCOPE, and its name in the state file and on the jump line."""
    title: str
    key: str = ""
    """The key of a screen with a tab; the others are opened from a screen."""
    aliases: tuple[str, ...] = ()
    """Other names of it on the jump line."""
    factory: str
    """`module:class`; the module is imported when the screen is first opened, so that the start stays quick."""
    actions: tuple[Action, ...]
    moves: tuple[Action, ...] = keymap.LIST
    """The keys of the widget that it puts the focus on."""

    def create(self, *args: Any, **options: Any) -> Screen[None]:
        """A new screen; takes the arguments of its class."""
        module, _, name = self.factory.partition(":")
        screen: Screen[None] = getattr(import_module(module), name)(*args, **options)
        return screen


SCREENS: Final = (
    ScreenEntry(
        name="home",
        title="Home",
        key="1",
        aliases=("dashboard",),
        factory="tui.screens.home:HomeScreen",
        moves=(),
        actions=(
            keymap.RANGE,
            Action("refresh_data", "r", "refresh", "refresh"),
            Action("show_traces", "enter", "traces", "to the traces"),
        ),
    ),
    ScreenEntry(
        name="traces",
        title="Traces",
        key="2",
        aliases=("t",),
        factory="tui.screens.traces:TracesScreen",
        actions=(
            Action("open", "enter", "open", "open the trace"),
            Action("filter", "slash", "filter", "filter, such as level:ERROR cost>0.01"),
            Action("pause", "space", "live", "pause or resume live updates"),
            Action("sort", "s", "sort", "choose the order"),
            keymap.RANGE,
            Action("preview", "p", "preview", "show or hide the preview pane"),
            keymap.COPY,
            keymap.LINK,
            keymap.EDIT,
            keymap.REFRESH,
            Action("back", "escape", "", "clear the filter"),
        ),
    ),
    ScreenEntry(
        name="sessions",
        title="Sessions",
        key="3",
        factory="tui.screens.sessions:SessionsScreen",
        actions=(
            Action("open", "enter", "open", "open the session"),
            Action("refresh_data", "r", "refresh", "refresh"),
            Action("copy", "y", "copy id", "copy the id"),
        ),
    ),
    ScreenEntry(
        name="observations",
        title="Observations",
        key="4",
        aliases=("generations",),
        factory="tui.screens.observations:ObservationsScreen",
        actions=(
            Action("open", "enter", "open", "open in its trace"),
            Action("type", "f", "type", "choose the type"),
            Action("refresh_data", "r", "refresh", "refresh"),
            Action("copy", "y", "copy id", "copy the id"),
        ),
    ),
    ScreenEntry(
        name="services",
        title="Services",
        key="5",
        aliases=("logs",),
        factory="tui.screens.services:ServicesScreen",
        actions=(
            Action("restart", "R", "restart", "restart the service"),
            Action("stop", "S", "stop", "stop the service"),
            Action("start", "s", "start", "start the service"),
            Action("follow", "f", "follow", "follow the log, or hold it"),
            Action("next_pane", "tab", "pane", "between services and log"),
            Action("refresh_data", "r", "", "refresh"),
            Action("copy", "y", "copy log", "copy the shown log"),
        ),
    ),
    ScreenEntry(
        name="trace",
        title="Trace",
        factory="tui.screens.trace:TraceScreen",
        moves=keymap.TREE,
        actions=(
            Action("next_pane", "tab", "pane", "between tree and details"),
            Action("next_error", "n", "error", "jump to the next error"),
            Action("slowest", "s", "slowest", "jump to the slowest step"),
            Action("most_expensive", "c", "cost", "jump to the most expensive step"),
            Action("filter", "slash", "search", "search in this trace"),
            Action("next_tab", "right_square_bracket", "", "next tab of the details"),
            Action("previous_tab", "left_square_bracket", "", "previous tab of the details"),
            Action("collapse_all", "z", "", "collapse or expand everything"),
            Action("level", "m", "", "minimum level: all, default, warning, error"),
            Action("wider", "plus", "", "more room for the tree"),
            Action("narrower", "minus", "", "less room for the tree"),
            keymap.COPY,
            keymap.EDIT,
            keymap.LINK,
            Action("open_session", "S", "", "open the session of this trace"),
            keymap.REFRESH,
            keymap.BACK,
        ),
    ),
    ScreenEntry(
        name="session",
        title="Session",
        factory="tui.screens.session:SessionScreen",
        moves=keymap.DOCUMENT,
        actions=(
            Action("next_turn", "n", "next turn", "next turn"),
            Action("previous_turn", "N", "", "previous turn"),
            Action("open_turn", "o", "open turn", "open the trace of this turn"),
            Action("copy", "y", "copy id", "copy the session's id"),
            keymap.EDIT,
            keymap.REFRESH,
            keymap.BACK,
        ),
    ),
    ScreenEntry(
        name="first_run",
        title="First run",
        factory="tui.screens.first_run:FirstRunScreen",
        moves=(),
        actions=(
            Action("open_received", "enter", "open trace", "open the trace that arrived"),
            Action("copy", "y", "copy snippet", "copy the snippet"),
            Action("copy_keys", "Y", "copy keys", "copy the keys as environment variables"),
            Action("next_tab", "tab,right,l", "next", "next snippet"),
            Action("previous_tab", "shift+tab,left,h", "", "previous snippet"),
            keymap.BACK,
        ),
    ),
    ScreenEntry(
        name="start",
        title="Start",
        factory="tui.screens.start:StartScreen",
        moves=(),
        actions=(
            Action("start", "s", "start", "start the appliance"),
            Action("start_in_docker", "d", "start in Docker", "start it with the stores in containers"),
            keymap.REFRESH,
        ),
    ),
)

BY_NAME: Final = {entry.name: entry for entry in SCREENS}
TABS: Final = tuple(entry for entry in SCREENS if entry.key)
DEFAULT_TAB: Final = "traces"

GLOBAL: Final = (
    Action("app.help", "question_mark", "help", "the keys of this screen"),
    Action("app.command_palette", "ctrl+p", "", "command palette"),
    Action("app.jump", "colon", "", "jump, such as :trace ID or :services"),
    *(Action(f"app.show('{entry.name}')", entry.key, "", entry.title.lower()) for entry in TABS),
    Action("app.first_run", "0", "", "keys and snippets to send a first trace"),
    Action("app.next_theme", "ctrl+t", "", "next theme"),
    Action("app.quit", "q,ctrl+c", "quit", "quit"),
)
"""The keys of every screen."""


def tab_of(word: str) -> ScreenEntry | None:
    """The screen with a tab that goes by a name or alias."""
    return next((entry for entry in TABS if word in (entry.name, *entry.aliases)), None)
