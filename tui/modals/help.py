"""The keys of a screen, with what they do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Label, Static

from tui import keymap
from tui.keymap import Action
from tui.text.palette import Palette, palette_of


class HelpModal(ModalScreen[None]):
    """Left with any of Esc, ?, q or Enter."""

    CSS_PATH = "modals.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [("escape,question_mark,q,enter", "dismiss", "close")]

    def __init__(self, title: str, sections: Sequence[Sequence[Action]]) -> None:
        super().__init__()
        self._title, self._sections = title, sections

    def compose(self) -> ComposeResult:
        palette = palette_of(self.app.theme_variables)
        with Vertical(classes="dialog"):
            yield Label(f"Keys: {self._title.lower()}", classes="title", markup=False)
            with VerticalScroll():
                yield Static(Text("\n\n").join(_section(part, palette) for part in self._sections if part))


def _section(actions: Sequence[Action], palette: Palette) -> Text:
    rows = [
        Text.assemble(
            (f"{' '.join(keymap.key_name(key) for key in action.keys.split(',')):>14}  ", f"bold {palette.accent}"),
            (action.help, palette.text),
        )
        for action in actions
    ]
    return Text("\n").join(rows)
