"""A table of any length: it keeps no rows, and asks a function for each row that shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.message import Message
from textual.strip import Strip

from tui.text.cells import Cell, Column, cell_segments, lay_out
from tui.text.palette import Palette
from tui.widgets.line_scroll import LineScroll

RowCells = dict[str, Cell]
"""The cells of one row by column key."""


class VirtualTable(LineScroll):
    """Draws the rows that show; a row that was not fetched yet is drawn as dots and requested by `RowsWanted`."""

    HEADER: ClassVar[int] = 1

    class RowsWanted(Message):
        """The view shows rows that the source does not have."""

        def __init__(self, table: VirtualTable, first: int, last: int) -> None:
            super().__init__()
            self.table, self.first, self.last = table, first, last

        @property
        def control(self) -> VirtualTable:
            return self.table

    def __init__(self, columns: Sequence[Column], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.columns = list(columns)
        self.sorted_by = ""
        self.is_descending = True
        self._source: Callable[[int, Palette], RowCells | None] = lambda index, palette: None
        self._empty = ""

    def set_source(self, source: Callable[[int, Palette], RowCells | None]) -> None:
        """The function that gives the cells of a row, or None while it is being fetched."""
        self._source = source

    def set_empty_text(self, text: str) -> None:
        """What stands in the table when it has no rows."""
        self._empty = text
        self.refresh()

    def render_header(self, y: int, width: int) -> Strip:
        palette = self.palette
        base = self.rich_style
        segments = [Segment(" ", base)]
        for column, room in lay_out(self.columns, width - 2):
            mark = (" ↓" if self.is_descending else " ↑") if column.order and column.order == self.sorted_by else ""
            style = palette.accent if mark else palette.muted
            segments += cell_segments([(column.title + mark, style)], room, column.align, base)
            segments.append(Segment("  ", base))
        return Strip(segments).adjust_cell_length(width, base)

    def render_line(self, y: int) -> Strip:
        if not self.count and self._empty and y == 2:
            width = self.scrollable_content_region.width
            text = Segment("   " + self._empty, self.rich_style + Style.parse(self.palette.muted))
            return Strip([text]).adjust_cell_length(width, self.rich_style)
        return super().render_line(y)

    def render_row(self, index: int, width: int, is_cursor: bool) -> Strip:
        palette = self.palette
        base = self.rich_style
        if is_cursor:
            base += Style(bgcolor=palette.cursor if self.has_focus else palette.panel)
        cells = self._source(index, palette)
        if cells is None:
            self._want(index)
            return Strip([Segment("  ·····", base + Style.parse(palette.faint))]).adjust_cell_length(width, base)
        mark = Style.parse(palette.accent)
        segments = [Segment("▎" if is_cursor else " ", base + mark)]
        for column, room in lay_out(self.columns, width - 2):
            segments += cell_segments(cells.get(column.key, (("", ""),)), room, column.align, base)
            segments.append(Segment("  ", base))
        return Strip(segments).adjust_cell_length(width, base)

    def _want(self, index: int) -> None:
        shown = self.visible_range
        if index in (shown.start, shown.stop - 1) or index % 16 == 0:
            self.post_message(self.RowsWanted(self, shown.start, shown.stop))
