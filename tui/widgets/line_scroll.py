"""The base of all widgets that draw their rows themselves: a cursor, a scroll position, and nothing per row."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.keymap import LIST, bindings
from tui.text.palette import Palette, palette_of


class LineScroll(ScrollView, can_focus=True):
    """Rows of one line each, `HEADER` lines that stay above them, and a cursor."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(LIST)
    HEADER: ClassVar[int] = 0

    cursor: reactive[int] = reactive(0, always_update=False)

    class Highlighted(Message):
        """The cursor moved to another row."""

        def __init__(self, sender: LineScroll, index: int) -> None:
            super().__init__()
            self.sender, self.index = sender, index

        @property
        def control(self) -> LineScroll:
            return self.sender

    class Opened(Message):
        """A row was entered."""

        def __init__(self, sender: LineScroll, index: int) -> None:
            super().__init__()
            self.sender, self.index = sender, index

        @property
        def control(self) -> LineScroll:
            return self.sender

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.count = 0

    @property
    def palette(self) -> Palette:
        return palette_of(self.app.theme_variables)

    @property
    def page_rows(self) -> int:
        """How many rows fit."""
        return max(self.scrollable_content_region.height - self.HEADER, 1)

    @property
    def visible_range(self) -> range:
        """The indexes of the rows that show."""
        top = self.scroll_offset.y
        return range(top, min(top + self.page_rows, self.count))

    def set_count(self, count: int, *, cursor: int | None = None, top: int | None = None) -> None:
        """Sets the number of rows; the cursor stays inside. `top` is the first row that shows."""
        self.count = count
        self.virtual_size = Size(0, count + self.HEADER if count else 0)
        if top is not None:
            self.scroll_to(y=max(top, 0), animate=False, immediate=True, force=True)
        self.cursor = max(0, min(self.cursor if cursor is None else cursor, count - 1))
        self.scroll_to_cursor()
        self.refresh()

    def validate_cursor(self, cursor: int) -> int:
        return max(0, min(cursor, self.count - 1))

    def watch_cursor(self) -> None:
        self.scroll_to_cursor()
        self.refresh()
        self.post_message(self.Highlighted(self, self.cursor))

    def scroll_to_cursor(self) -> None:
        """Moves the view just as far as the cursor needs."""
        top, rows = self.scroll_offset.y, self.page_rows
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, immediate=True, force=True)
        elif self.cursor >= top + rows:
            self.scroll_to(y=self.cursor - rows + 1, animate=False, immediate=True, force=True)

    def action_move(self, by: int) -> None:
        self.cursor += by

    def action_page(self, by: int) -> None:
        self.cursor += by * max(self.page_rows - 1, 1)

    def action_first(self) -> None:
        self.cursor = 0

    def action_last(self) -> None:
        self.cursor = self.count - 1

    def action_open(self) -> None:
        if self.count:
            self.post_message(self.Opened(self, self.cursor))

    def on_click(self, event: events.Click) -> None:
        row = event.y + self.scroll_offset.y - self.HEADER
        if event.y >= self.HEADER and 0 <= row < self.count:
            self.cursor = row
            if event.chain == 2:
                self.action_open()

    def on_resize(self) -> None:
        self.virtual_size = Size(0, self.count + self.HEADER if self.count else 0)
        self.scroll_to_cursor()

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        if y < self.HEADER:
            return self.render_header(y, width)
        index = y - self.HEADER + self.scroll_offset.y
        if index >= self.count:
            return Strip.blank(width, self.rich_style)
        return self.render_row(index, width, index == self.cursor)

    def render_header(self, y: int, width: int) -> Strip:
        """One of the lines above the rows."""
        return Strip.blank(width, self.rich_style)

    @abstractmethod
    def render_row(self, index: int, width: int, is_cursor: bool) -> Strip:
        """One row, exactly `width` wide."""
