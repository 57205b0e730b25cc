"""Shows lines of styled text of any number: wraps them to its width, and folds those that can be folded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.binding import BindingType
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from appliance.model.printable import printable
from tui.content.documents import Line
from tui.keymap import DOCUMENT, bindings
from tui.widgets.line_scroll import LineScroll


class Document(LineScroll):
    """Rows are the wrapped lines; without foldable lines the keys scroll and no cursor shows."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(DOCUMENT)

    class FoldToggled(Message):
        """A foldable line was entered."""

        def __init__(self, document: Document, key: str) -> None:
            super().__init__()
            self.document, self.key = document, key

        @property
        def control(self) -> Document:
            return self.document

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: Sequence[Line] = ()
        self._rows: list[tuple[int, Text]] = []
        self._wrapped_at = 0
        self.follows = False
        """Whether the view stays at the end when lines come."""

    @property
    def is_foldable(self) -> bool:
        return any(line.key for line in self._lines[:2000])

    @property
    def text(self) -> str:
        """Everything it shows, unwrapped."""
        return "\n".join(line.text.plain for line in self._lines)

    def show(self, lines: Sequence[Line], *, keep_place: bool = False) -> None:
        """Replaces the lines; the view goes to the top unless `keep_place`."""
        self._lines = lines
        self._wrapped_at = 0
        self._wrap()
        if not keep_place:
            self.cursor = 0
            self.scroll_to(y=0, animate=False, immediate=True, force=True)
        if self.follows:
            self.call_after_refresh(self.scroll_end, animate=False, immediate=True, force=True)

    def scroll_to_line(self, index: int) -> None:
        """Brings a logical line to the top."""
        row = next((row for row, (line, _) in enumerate(self._rows) if line >= index), 0)
        self.cursor = row
        self.scroll_to(y=row, animate=False, immediate=True, force=True)

    def line_at_top(self) -> int:
        """The logical line of the topmost row."""
        row = min(self.scroll_offset.y, len(self._rows) - 1)
        return self._rows[row][0] if self._rows else 0

    def on_resize(self) -> None:
        self._wrap()
        super().on_resize()

    def action_move(self, by: int) -> None:
        if self.is_foldable:
            self.cursor += by
        else:
            self.scroll_relative(y=by, animate=False, immediate=True, force=True)

    def action_page(self, by: int) -> None:
        if self.is_foldable:
            super().action_page(by)
        else:
            self.scroll_relative(y=by * (self.page_rows - 1), animate=False, immediate=True, force=True)

    def action_first(self) -> None:
        self.cursor = 0
        self.scroll_to(y=0, animate=False, immediate=True, force=True)

    def action_last(self) -> None:
        if self.is_foldable:
            super().action_last()
        else:
            self.scroll_end(animate=False, immediate=True, force=True)

    def action_fold(self) -> None:
        if self._rows and (key := self._lines[self._rows[self.cursor][0]].key):
            self.post_message(self.FoldToggled(self, key))

    def scroll_to_cursor(self) -> None:
        if self.is_foldable:
            super().scroll_to_cursor()

    def _wrap(self) -> None:
        width = self.scrollable_content_region.width - 1
        if width <= 0 or width == self._wrapped_at:
            return
        self._wrapped_at = width
        self._rows = [(index, row) for index, line in enumerate(self._lines) for row in wrap(line, width)]
        self.count = len(self._rows)
        self.virtual_size = Size(0, self.count)
        self.refresh()

    def render_row(self, index: int, width: int, is_cursor: bool) -> Strip:
        base = self.rich_style
        if is_cursor and self.has_focus and self.is_foldable:
            base += Style(bgcolor=self.palette.cursor)
        _, text = self._rows[index]
        segments = [Segment(" ", base)]
        base += self.app.console.get_style(text.style)  # Text.render leaves it out when the text has no spans
        segments += [
            Segment(segment.text, base + segment.style if segment.style else base)
            for segment in text.render(self.app.console)
            if not segment.control
        ]
        return Strip(segments).adjust_cell_length(width, base)


def wrap(line: Line, width: int) -> list[Text]:
    """A line cut into rows that fit, the later ones indented, each after the line's lead."""
    if line.lead is not None:
        lead = line.lead
        inner = wrap(Line(line.text, line.indent), max(width - lead.cell_len, 8))
        return [Text.assemble(lead, row) for row in inner]
    _clean(line.text)
    plain = line.text.plain
    if len(plain) <= width and line.text.cell_len <= width:
        return [line.text]
    indent = min(line.indent, width // 2)
    cuts: list[int] = []
    start = 0
    while True:
        room = width if not cuts else width - indent
        ahead = plain[start : start + room + 1]
        if len(ahead) <= room and cell_len(ahead) <= room:
            break
        start += _break(ahead, room)
        cuts.append(start)
    first, *later = line.text.divide(cuts)
    return [first, *(Text(" " * indent).append_text(row) for row in later)]


def _clean(text: Text) -> None:
    """Tabs become spaces and control characters dots: a terminal would obey them."""
    if not text.plain.isprintable():
        text.expand_tabs(4)
        text.plain = printable(text.plain)


def _break(ahead: str, room: int) -> int:
    """Where to cut: after the last space that fits, else where the room ends."""
    end = min(room, len(ahead))
    if not ahead.isascii():
        while end > 1 and cell_len(ahead[:end]) > room:
            end -= 1
    space = ahead.rfind(" ", 0, end + 1)
    return space + 1 if space > end // 2 else end
