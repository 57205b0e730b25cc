"""Actions and their keys: the type, and those that several screens or widgets share."""

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

BEFORE_TEXT: Final = ("slash", "colon")
"""Keys that text follows. The application handles them before it passes on the next key: a widget would do so later,
and text that is pasted or typed quickly would run as commands."""

BACK: Final = Action("back", "escape,backspace", "back", "back to where you came from")
REFRESH: Final = Action("refresh_data", "r", "", "refresh")
COPY: Final = Action("copy", "y", "copy", "copy: id, input, output, JSON, curl, Python")
LINK: Final = Action("link", "o", "", "open or copy the link")
EDIT: Final = Action("edit", "e", "", "open the text in $EDITOR or $PAGER")
RANGE: Final = Action("range", "t", "range", "choose the time range")


def bindings(actions: Sequence[Action]) -> list[BindingType]:
    """Textual's bindings for a part of the table."""
    return [
        Binding(action.keys, action.name, action.help, show=False, priority=action.keys in BEFORE_TEXT)
        for action in actions
    ]


def key_name(key: str) -> str:
    """A key as people read it."""
    names = {
        "question_mark": "?", "slash": "/", "colon": ":", "enter": "⏎", "escape": "Esc", "space": "Space", "tab": "Tab",
        "right_square_bracket": "]", "left_square_bracket": "[", "plus": "+", "minus": "-", "down": "↓", "up": "↑",
        "left": "←", "right": "→", "pagedown": "PgDn", "pageup": "PgUp", "shift+tab": "⇧Tab", "backspace": "⌫",
    }  # fmt: skip
    return names.get(key, key.replace("ctrl+", "^"))
