"""The lines around every screen: the open screens, an error, and the keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len
from rich.text import Text
from textual.app import RenderResult
from textual.reactive import reactive
from textual.widget import Widget

from appliance.model import format
from appliance.model.printable import printable
from tui import keymap
from tui.keymap import Action
from tui.text.cells import fit
from tui.text.palette import palette_of

BETWEEN: Final = " › "
HIDDEN: Final = "…"
LEAST_CRUMB: Final = 20
"""Cells that the crumbs keep beside the status."""


class TopBar(Widget):
    """The screens with their keys, the server, and its health."""

    mode: reactive[str] = reactive("")
    server: reactive[str] = reactive("")
    state: reactive[str] = reactive("connecting")
    """The application's `connection`."""
    dead_letters: reactive[int] = reactive(0)

    def __init__(self, tabs: Sequence[tuple[str, str, str]]) -> None:
        """`tabs`: key, mode and title of each screen with a tab."""
        super().__init__()
        self._tabs = tabs

    def render(self) -> RenderResult:
        palette = palette_of(self.app.theme_variables)
        wide = self.size.width >= 90
        left = Text(no_wrap=True)
        left.append(" ≋ langfuse-local  " if wide else " ≋ ", style=f"bold {palette.accent}")
        for key, mode, title in self._tabs:
            here = mode == self.mode
            left.append(f" {key}", style=palette.accent if here else palette.faint)
            left.append(f" {title} ", style=f"bold {palette.text}" if here else palette.muted)
        color, word = {
            "ok": (palette.good, "healthy"),
            "bad": (palette.warn, "not healthy"),
            "lost": (palette.bad, "connection lost"),
            "refused": (palette.bad, "keys refused"),
            "silent": (palette.bad, "no answer"),
        }.get(self.state, (palette.faint, "connecting"))
        dead = ""
        if self.dead_letters:
            dead = (format.counted(self.dead_letters, "dead letter") if wide else f"{self.dead_letters} dead") + "  "
        room = self.size.width - left.cell_len - len(word) - len(dead) - 6
        server = f"{self.server} " if cell_len(self.server) <= room else ""
        right = Text.assemble((server, palette.muted), (dead, f"bold {palette.bad}"), ("● ", color))
        right.append(f"{word} " if wide or self.state != "ok" else "", style=palette.muted)
        return _both_ends(left, right, self.size.width)


class CrumbBar(Widget):
    """The open screens, one above the other, and the status of the uppermost."""

    crumbs: reactive[tuple[str, ...]] = reactive(())
    status: reactive[Text] = reactive(Text)
    is_busy: reactive[bool] = reactive(False)

    def render(self) -> RenderResult:
        palette = palette_of(self.app.theme_variables)
        right = Text("◌ loading  " if self.is_busy else "", style=palette.warn)
        right.append_text(self.status).append(" ")
        width = self.size.width
        right.truncate(max(width - LEAST_CRUMB, 0), overflow="ellipsis")
        left = Text(" ", no_wrap=True)
        for index, crumb in enumerate(shown := fitting_crumbs(self.crumbs, width - right.cell_len - 2)):
            last = index == len(shown) - 1
            left.append(crumb, style=f"bold {palette.text}" if last else palette.muted)
            left.append("" if last else BETWEEN, style=palette.faint)
        return _both_ends(left, right, width)


def fitting_crumbs(crumbs: Sequence[str], width: int) -> list[str]:
    """The crumbs as far as `width` cells go: the last one above all, `…` for those in front that have no room."""
    shown = [printable(format.one_line(crumb)) for crumb in crumbs]
    while len(shown) > 1 and _cells_of(shown) > width:
        shown = [HIDDEN, *shown[2:]] if shown[0] == HIDDEN and len(shown) > 2 else [HIDDEN, *shown[1:]]
        if len(shown) == 2 and _cells_of(shown) > width:
            room = width - _cells_of([HIDDEN, ""])
            return [HIDDEN, fit(shown[-1], room)] if room > LEAST_CRUMB else [fit(shown[-1], width)]
    return shown if _cells_of(shown) <= width else [fit(shown[-1], width)]


def _cells_of(crumbs: Sequence[str]) -> int:
    return cell_len(BETWEEN.join(crumbs))


class Banner(Widget):
    """One sentence that says what is wrong and what to do; hidden when all is well."""

    text: reactive[str] = reactive("", layout=True)

    def watch_text(self, text: str) -> None:
        self.set_class(bool(text), "-shown")

    def render(self) -> RenderResult:
        palette = palette_of(self.app.theme_variables)
        return Text.assemble((" ✗ ", f"bold {palette.bad}"), (self.text, palette.text))


class KeyBar(Widget):
    """The keys of this screen, as many as fit; a click on one presses it."""

    def __init__(self, actions: Sequence[Action]) -> None:
        super().__init__()
        self._actions = [action for action in actions if action.label]

    def render(self) -> RenderResult:
        palette = palette_of(self.app.theme_variables)
        text = Text(" ", no_wrap=True, overflow="crop")
        for action in self._fitting(self.size.width - 2):
            link = {"@click": action.name if action.name.startswith("app.") else f"screen.{action.name}"}
            start = len(text)
            text.append(_key(action), style=f"bold {palette.accent}").append(f" {action.label}", style=palette.muted)
            text.apply_meta(link, start, len(text))
            text.append(" " * self._gap)
        return text

    @property
    def _gap(self) -> int:
        return 3 if self.size.width >= 100 else 2

    def _fitting(self, width: int) -> list[Action]:
        """The way back, help and quit always, the others from the left as long as there is room."""
        extra = 1 + self._gap
        always = [action for action in self._actions if action.name == "back" or action.name.startswith("app.")]
        left = width - sum(len(_key(action)) + len(action.label) + extra for action in always)
        shown: list[Action] = []
        for action in self._actions:
            need = len(_key(action)) + len(action.label) + extra
            if action in always or need > left:
                continue
            shown.append(action)
            left -= need
        return shown + always


def _key(action: Action) -> str:
    return keymap.key_name(action.keys.split(",")[0])


def _both_ends(left: Text, right: Text, width: int) -> Text:
    gap = width - left.cell_len - right.cell_len
    if gap < 1:
        left.truncate(max(width - right.cell_len - 1, 0), overflow="ellipsis")
        gap = max(width - left.cell_len - right.cell_len, 0)
    return left.append(" " * gap).append_text(right)
