"""The line that filters a list, with completion of its fields and a history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import getters
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input, Label

from appliance.model.query_bar import FIELDS

PLACEHOLDER = 'press / to filter: name:rag* model:gpt-4o cost>0.01 latency>2s level:ERROR "some text"'


class FieldSuggester(Suggester):
    """Completes the field that is being written, or the whole line from the history."""

    def __init__(self, history: Sequence[str]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._history = history

    async def get_suggestion(self, value: str) -> str | None:
        for line in self._history:
            if value and line.startswith(value) and line != value:
                return line
        start, _, word = value.rpartition(" ")
        sign = "-" if word.startswith("-") else ""
        if not (bare := word.removeprefix("-")):
            return None
        found = next((field for field in FIELDS if field.startswith(bare) and field != bare), None)
        if found is None:
            return None
        end = "" if found.endswith(".") else ":"
        return f"{start} {sign}{found}{end}" if start else f"{sign}{found}{end}"


class QueryBar(Vertical):
    """One input and, below it, what is wrong with it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "leave", "leave"),
        ("up", "history(1)", "older"),
        ("down", "history(-1)", "newer"),
        ("tab", "complete", "complete"),
    ]

    input = getters.query_one(Input)
    error = getters.query_one(".error", Label)

    class Submitted(Message):
        """The query was entered."""

        def __init__(self, query: str) -> None:
            super().__init__()
            self.query = query

    class Left(Message):
        """The bar was left without a change."""

    def __init__(self, query: str, history: Sequence[str]) -> None:
        super().__init__()
        self._query = query
        self._past = history
        self._place = -1

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Label("/", classes="mark")
            yield Input(
                self._query, placeholder=PLACEHOLDER, suggester=FieldSuggester(self._past), select_on_focus=False
            )
        yield Label("", classes="error", markup=False)

    def focus_input(self) -> None:
        """Puts the cursor at the end of the line."""
        self._place = -1
        self.screen.set_focus(self.input)  # at once: the next key may be here already
        self.input.action_end()

    def set_query(self, query: str) -> None:
        """Replaces the line."""
        self._query = query
        self.input.value = query

    def show_error(self, sentence: str) -> None:
        """What is wrong with the line; empty when nothing is."""
        self.error.update(sentence)
        self.error.set_class(bool(sentence), "-shown")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._query = event.value.strip()
        self.post_message(self.Submitted(self._query))

    def action_leave(self) -> None:
        self.input.value = self._query
        self.show_error("")
        self.post_message(self.Left())

    def action_complete(self) -> None:
        self.input.action_cursor_right()

    def action_history(self, by: int) -> None:
        if self._past:
            self._place = max(-1, min(self._place + by, len(self._past) - 1))
            self.input.value = self._past[self._place] if self._place >= 0 else self._query
            self.input.action_end()
