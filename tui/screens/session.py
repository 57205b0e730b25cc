"""A session as one conversation, with the duration and cost of each turn."""

from __future__ import annotations

from rich.text import Text
from textual import getters
from textual.app import ComposeResult

from appliance.api_types.traces import NOT_REQUESTED, ApiTraceItem
from appliance.model import format
from appliance.model.messages import Message, Part, parse_messages
from tui.content.documents import Line, blank, chat_lines, value_lines
from tui.model.records import Session, time_of
from tui.outside import edit_text
from tui.screens.base import AppScreen
from tui.text.palette import Palette
from tui.widgets.document import Document


class SessionScreen(AppScreen):
    """One document; n and N go from turn to turn."""

    SCOPE = "session"
    document = getters.query_one(Document)

    def __init__(self, session_id: str) -> None:
        super().__init__()
        self.session_id = session_id
        self.subject = f"session {session_id}"
        self._turns: list[ApiTraceItem] = []
        self._starts: list[int] = []
        """The line at which each turn begins."""

    def compose_body(self) -> ComposeResult:
        yield Document()

    def on_mount(self) -> None:
        self.crumb = self.session_id
        super().on_mount()
        self.document.focus()

    def load(self) -> None:
        self.fetch(lambda: self.gateway.session(self.session_id), self._show)

    def _show(self, session: Session) -> None:
        self._turns = session.turns
        self._draw()
        usd = sum(turn.total_cost or 0 for turn in self._turns)
        users = sorted({turn.user_id for turn in self._turns if turn.user_id})
        parts = [format.counted(len(self._turns), "turn"), format.cost(usd), *users[:3]]
        self.set_status(" · ".join(parts))

    def _draw(self) -> None:
        palette = self.palette
        lines: list[Line] = []
        self._starts = []
        for number, turn in enumerate(self._turns, 1):
            self._starts.append(len(lines))
            lines += [*turn_lines(number, turn, palette), blank()]
        self.document.show(lines)

    def _turn_at_top(self) -> int:
        top = self.document.line_at_top()
        return max((i for i, start in enumerate(self._starts) if start <= top), default=0)

    def _go(self, turn: int) -> None:
        if 0 <= turn < len(self._starts):
            self.document.scroll_to_line(self._starts[turn])

    def action_next_turn(self) -> None:
        self._go(self._turn_at_top() + 1)

    def action_previous_turn(self) -> None:
        self._go(self._turn_at_top() - 1)

    def action_open_turn(self) -> None:
        if self._turns:
            self.host.open_trace(self._turns[self._turn_at_top()].id)

    def action_copy(self) -> None:
        self.host.copy(self.session_id, "the session's id")

    def action_edit(self) -> None:
        edit_text(self.app, self.document.text)

    def refresh_styles(self) -> None:
        self._draw()


def turn_lines(number: int, turn: ApiTraceItem, palette: Palette) -> list[Line]:
    """One turn: its head, the last message to the model, and its answer."""
    head = Text.assemble(
        (f"── {number} ", palette.faint),
        (turn.name or "unnamed", f"bold {palette.text}"),
        (f"  {format.absolute(time_of(turn.timestamp))[:19]}", palette.faint),
        (f"  {format.duration(turn.latency if turn.latency != NOT_REQUESTED else None)}", palette.muted),
        (f"  {format.cost(turn.total_cost)}" if turn.total_cost and turn.total_cost > 0 else "", palette.muted),
    )
    prompt, answer = _as_messages(turn.input, "user")[-1:], _as_messages(turn.output, "assistant")
    if not prompt and not answer:
        return [Line(head), *value_lines(None, palette)]
    return [Line(head), *chat_lines([*prompt, *answer], palette)]


def _as_messages(value: object, role: str) -> list[Message]:
    """A value as messages: those it holds, or itself as one; only the last of an input is new in its turn."""
    if value is None or value == "":
        return []
    if messages := parse_messages(value):
        return messages
    if isinstance(value, dict) and len(value) == 1 and isinstance(only := next(iter(value.values())), str):
        value = only
    if isinstance(value, str):
        return [Message(role, [Part("text", value)])]
    from appliance.model.messages import pretty

    return [Message(role, [Part("json", pretty(value))])]
