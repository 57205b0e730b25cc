"""One line of input at the bottom of the screen."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Input, Label


class PromptModal(ModalScreen[str | None]):
    """Answers with the line, or None when it was left with Esc."""

    CSS_PATH = "modals.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [("escape", "dismiss(None)", "cancel")]

    def __init__(self, mark: str, hint: str, value: str = "") -> None:
        super().__init__()
        self._mark, self._hint = mark, hint
        self.line = Input(value, select_on_focus=False)

    def compose(self) -> ComposeResult:
        with Vertical():
            with Horizontal():
                yield Label(self._mark, classes="mark", markup=False)
                yield self.line
            yield Label(self._hint, classes="hint", markup=False)

    def on_key(self, event: Key) -> None:
        """Takes what was typed before the line has the focus."""
        if event.character and event.is_printable and self.focused is None:
            event.stop()
            self.line.insert_text_at_cursor(event.character)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)
