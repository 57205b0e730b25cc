"""A short list to choose one from, by arrows or by the key of each row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import events, getters
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from tui.text.palette import palette_of


class ChoiceModal(ModalScreen[str | None]):
    """Answers with the chosen row's value; None when it was left with Esc."""

    CSS_PATH = "modals.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "dismiss(None)", "cancel"),
        ("j", "move(1)", "down"),
        ("k", "move(-1)", "up"),
    ]

    options = getters.query_one(OptionList)

    def __init__(self, title: str, rows: Sequence[tuple[str, str, str]], chosen: str = "") -> None:
        """`rows` are value, key and label; a key may be empty."""
        super().__init__()
        self._title, self._rows, self._chosen = title, rows, chosen

    def compose(self) -> ComposeResult:
        palette = palette_of(self.app.theme_variables)
        with Vertical(classes="dialog"):
            yield Label(self._title, classes="title", markup=False)
            yield OptionList(
                *(
                    Option(
                        Text.assemble((f" {key:<2} ", f"bold {palette.accent}"), (label, palette.text)), id=f"row-{i}"
                    )
                    for i, (_, key, label) in enumerate(self._rows)
                )
            )

    def on_mount(self) -> None:
        values = [value for value, _, _ in self._rows]
        self.options.highlighted = values.index(self._chosen) if self._chosen in values else 0

    def action_move(self, by: int) -> None:
        self.options.highlighted = ((self.options.highlighted or 0) + by) % len(self._rows)

    def on_key(self, event: events.Key) -> None:
        for value, key, _ in self._rows:
            if key and event.character == key:
                event.stop()
                self.dismiss(value)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._rows[event.option_index][0])
