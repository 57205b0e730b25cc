"""Every action of the terminal UI in one table: bindings, key bar and help are made from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from textual.binding import Binding, BindingType


class Action(msgspec.Struct, frozen=True):
    """What a key does; `name` is the Textual action that runs, without `action_`."""

    name: str
    keys: str
    """Comma separated, as Textual names them."""
    label: str
    """One or two words for the key bar; empty keeps it out of there."""
    help: str


GLOBAL: Final = (
    Action("app.help", "question_mark", "help", "the keys of this screen"),
    Action("app.command_palette", "ctrl+p", "", "command palette"),
    Action("app.jump", "colon", "", "jump, such as :trace ID or :services"),
    Action("app.show('home')", "1", "", "home"),
    Action("app.show('traces')", "2", "", "traces"),
    Action("app.show('sessions')", "3", "", "sessions"),
    Action("app.show('observations')", "4", "", "observations"),
    Action("app.show('services')", "5", "", "services"),
    Action("app.first_run", "0", "", "keys and snippets to send a first trace"),
    Action("app.next_theme", "ctrl+t", "", "next theme"),
    Action("app.quit", "q,ctrl+c", "quit", "quit"),
)

LIST: Final = (
    Action("move(1)", "down,j", "", "next row"),
    Action("move(-1)", "up,k", "", "previous row"),
    Action("page(1)", "pagedown,ctrl+d", "", "a page down"),
    Action("page(-1)", "pageup,ctrl+u", "", "a page up"),
    Action("first", "home,g", "", "first row"),
    Action("last", "end,G", "", "last row"),
    Action("open", "enter,l,right", "", "open the row"),
)

TREE: Final = (
    *LIST[:6],
    Action("fold", "enter", "", "collapse or expand"),
    Action("collapse", "left,h", "", "collapse, or go to the parent"),
    Action("expand", "right,l", "", "expand, or go to the first child"),
)

DOCUMENT: Final = (
    Action("move(1)", "down,j", "", "next line"),
    Action("move(-1)", "up,k", "", "previous line"),
    Action("page(1)", "pagedown,ctrl+d,space", "", "a page down"),
    Action("page(-1)", "pageup,ctrl+u", "", "a page up"),
    Action("first", "home,g", "", "to the start"),
    Action("last", "end,G", "", "to the end"),
    Action("fold", "enter,h,l,left,right", "", "fold or unfold the object at the cursor"),
)

_BACK: Final = Action("back", "escape,backspace", "back", "back to where you came from")
_REFRESH: Final = Action("refresh_data", "r", "", "refresh")
_COPY: Final = Action("copy", "y", "copy", "copy: id, input, output, JSON, curl, Python")
_LINK: Final = Action("link", "o", "", "open or copy the link")
_EDIT: Final = Action("edit", "e", "", "open the text in $EDITOR or $PAGER")
_RANGE: Final = Action("range", "t", "range", "choose the time range")

SCREENS: Final[dict[str, tuple[Action, ...]]] = {
    "start": (
        Action("start", "s", "start", "start the appliance"),
        Action("start_in_docker", "d", "start in Docker", "start it with the stores in containers"),
        _REFRESH,
    ),
    "first_run": (
        Action("open_received", "enter", "open trace", "open the trace that arrived"),
        Action("copy", "y", "copy snippet", "copy the snippet"),
        Action("copy_keys", "Y", "copy keys", "copy the keys as environment variables"),
        Action("next_tab", "tab,right,l", "next", "next snippet"),
        Action("previous_tab", "shift+tab,left,h", "", "previous snippet"),
        _BACK,
    ),
    "home": (
        _RANGE,
        Action("refresh_data", "r", "refresh", "refresh"),
        Action("show_traces", "enter", "traces", "to the traces"),
    ),
    "traces": (
        Action("open", "enter", "open", "open the trace"),
        Action("filter", "slash", "filter", "filter, such as level:ERROR cost>0.01"),
        Action("pause", "space", "live", "pause or resume live updates"),
        Action("sort", "s", "sort", "choose the order"),
        _RANGE,
        Action("preview", "p", "preview", "show or hide the preview pane"),
        _COPY,
        _LINK,
        _EDIT,
        _REFRESH,
        Action("back", "escape", "", "clear the filter"),
    ),
    "trace": (
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
        _COPY,
        _EDIT,
        _LINK,
        Action("open_session", "S", "", "open the session of this trace"),
        _REFRESH,
        _BACK,
    ),
    "sessions": (
        Action("open", "enter", "open", "open the session"),
        Action("refresh_data", "r", "refresh", "refresh"),
        Action("copy", "y", "copy id", "copy the id"),
    ),
    "session": (
        Action("next_turn", "n", "next turn", "next turn"),
        Action("previous_turn", "N", "", "previous turn"),
        Action("open_turn", "o", "open turn", "open the trace of this turn"),
        Action("copy", "y", "copy id", "copy the session's id"),
        _EDIT,
        _REFRESH,
        _BACK,
    ),
    "observations": (
        Action("open", "enter", "open", "open in its trace"),
        Action("kind", "f", "type", "choose the type"),
        Action("refresh_data", "r", "refresh", "refresh"),
        Action("copy", "y", "copy id", "copy the id"),
    ),
    "services": (
        Action("restart", "R", "restart", "restart the service"),
        Action("stop", "S", "stop", "stop the service"),
        Action("start", "s", "start", "start the service"),
        Action("follow", "f", "follow", "follow the log, or hold it"),
        Action("next_pane", "tab", "pane", "between services and log"),
        Action("refresh_data", "r", "", "refresh"),
        Action("copy", "y", "copy log", "copy the shown log"),
    ),
}


def bindings(actions: Sequence[Action]) -> list[BindingType]:
    """Textual's bindings for a part of the table."""
    return [Binding(action.keys, action.name, action.help, show=False) for action in actions]


def key_name(key: str) -> str:
    """A key as people read it."""
    names = {
        "question_mark": "?", "slash": "/", "colon": ":", "enter": "⏎", "escape": "Esc", "space": "Space", "tab": "Tab",
        "right_square_bracket": "]", "left_square_bracket": "[", "plus": "+", "minus": "-", "down": "↓", "up": "↑",
        "left": "←", "right": "→", "pagedown": "PgDn", "pageup": "PgUp", "shift+tab": "⇧Tab", "backspace": "⌫",
    }  # fmt: skip
    return names.get(key, key.replace("ctrl+", "^"))
