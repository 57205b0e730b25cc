"""Pieces of styled text laid into cells of a fixed width; what the line-drawn widgets render with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style

from appliance.model.printable import printable

Align = Literal["left", "right"]
Piece = tuple[str, str]
"""Text and its style."""
Cell = Sequence[Piece]


class Column(msgspec.Struct, frozen=True):
    """A column of a table; those with the highest `rank` go first when the table is narrow."""

    key: str
    title: str
    width: int
    align: Align = "left"
    flex: int = 0
    """Its share of the width that is left; 0 keeps it as wide as `width`."""
    rank: int = 0
    order: str = ""
    """The API's order column that a sort by this column uses."""


def fit(text: str, width: int, align: Align = "left") -> str:
    """Text made exactly `width` cells wide: padded, or cut with an ellipsis."""
    if width <= 0:
        return ""
    text = printable(text)
    length = len(text) if text.isascii() else cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + "…"
    pad = " " * (width - length)
    return pad + text if align == "right" else text + pad


def lay_out(columns: Sequence[Column], width: int, gap: int = 2) -> list[tuple[Column, int]]:
    """Which columns fit into a width and how wide each is."""
    kept = list(columns)
    while len(kept) > 1 and sum(column.width + gap for column in kept) - gap > width:
        kept.remove(max(reversed(kept), key=lambda column: column.rank))
    spare = max(width - sum(column.width + gap for column in kept) + gap, 0)
    shares = sum(column.flex for column in kept)
    widths: list[tuple[Column, int]] = []
    for column in kept:
        extra = spare * column.flex // shares if column.flex else 0
        widths.append((column, column.width + extra))
    return widths


def cell_segments(cell: Cell, width: int, align: Align, base: Style) -> list[Segment]:
    """A cell exactly `width` wide, over a base style."""
    if len(cell) == 1:
        text, style = cell[0]
        return [Segment(fit(text, width, align), base + Style.parse(style))]
    cell = [(printable(text), style) for text, style in cell]
    used = sum(cell_len(text) for text, _ in cell)
    segments: list[Segment] = []
    if align == "right" and used < width:
        segments.append(Segment(" " * (width - used), base))
    left = width if used > width else used
    for text, style in cell:
        if left <= 0:
            break
        length = cell_len(text)
        shown = text if length <= left else fit(text, left)
        segments.append(Segment(shown, base + Style.parse(style)))
        left -= min(length, left)
    if align == "left" and used < width:
        segments.append(Segment(" " * (width - used), base))
    return segments
