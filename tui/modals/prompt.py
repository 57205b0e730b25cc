"""One line of input at the bottom of the screen."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label


class PromptModal(ModalScreen[str | None]):
    """Answers with the line, or None when it was left with Esc."""

    CSS_PATH = "modals.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [("escape", "dismiss(None)", "cancel")]

    def __init__(self, mark: str, hint: str, value: str = "") -> None:
        super().__init__()
        self._mark, self._hint, self._value = mark, hint, value

    def compose(self) -> ComposeResult:
        with Vertical():
            with Horizontal():
                yield Label(self._mark, classes="mark", markup=False)
                yield Input(self._value, select_on_focus=False)
            yield Label(self._hint, classes="hint", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)
