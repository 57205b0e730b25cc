"""Tables on the terminal: which columns fit, how wide each is, and what gives way; rich draws them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from appliance.cli.data.texts import moment, preview, short_moment
from appliance.cli.output import drawing_file
from appliance.model.printable import printable

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

T = TypeVar("T")
Json = Mapping[str, Any]
WIDE = 200
"""Columns of a table that is not shown on a terminal."""
GAP = 2
AMPLE = 24
"""Of a free text, what is shown before the date gives way."""
NARROWEST = 6
"""To what a free text may be cut when all columns that may go have gone."""


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """One column of a table: its title, and what of a row it shows."""

    title: str
    text: Callable[[T], str]
    is_number: bool = False
    style: str = ""
    is_free: bool = False
    """Whether it is free text, which may be cut where the terminal is narrow."""
    least: int = 10
    """Width to which a free text is cut before other columns are left out."""
    is_whole: bool = False
    """Whether a part of it is of no use, as of an id: it is shown whole or not at all."""
    rank: int = 0
    """Where the terminal is too narrow, the column of the highest rank goes first, and those of rank 0 stay."""
    short: Callable[[T], str] | None = None
    """What it shows where the terminal is too narrow for `text`."""


def time_column(title: str, time_of: Callable[[T], object], rank: int = 0) -> Column[T]:
    """A column of moments, which lose their date where the terminal is narrow."""
    return Column(title, lambda row: moment(time_of(row)), short=lambda row: short_moment(time_of(row)), rank=rank)


def id_column(title: str, id_of: Callable[[T], object], rank: int = 0) -> Column[T]:
    """A column of ids."""
    return Column(title, lambda row: preview(id_of(row)), style="cyan", is_whole=True, rank=rank)


def columns_of(rows: Sequence[Json]) -> list[Column[Json]]:
    """Columns for rows of any shape: every key that appears, in order of appearance; numbers and ids stay whole."""
    keys = dict.fromkeys(key for row in rows for key in row)
    numeric = {key for key in keys if all(isinstance(row.get(key), int | float | None) for row in rows)}
    return [
        Column(preview(key), _field(key), is_number=key in numeric, is_free=key not in numeric and not _is_id(key))
        for key in keys
    ]


def _field(key: str) -> Callable[[Json], str]:
    return lambda row: preview(row.get(key))


def _is_id(key: str) -> bool:
    return key == "id" or key.endswith("Id")


def print_table(rows: Sequence[T], columns: Sequence[Column[T]]) -> None:
    """Prints rows on standard output, as wide as the terminal; elsewhere, wide enough for every id."""
    out = console()
    drawn, width = table(rows, columns, out.width, may_grow=not sys.stdout.isatty())
    out.width = max(width, out.width)
    out.print(drawn, crop=False)


def table(
    rows: Sequence[T], columns: Sequence[Column[T]], width: int, *, may_grow: bool = False
) -> tuple[RenderableType, int]:
    """The rows as a table, one line each, and its width in characters.

    That is at most `width` unless numbers need more, or ids where it `may_grow`.
    """
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    def texts_of(text: Callable[[T], str]) -> list[str]:
        return [printable(text(row)) for row in rows]

    def width_of(column: Column[T]) -> int:
        return max([len(column.title), *map(cell_len, texts[column])])

    texts = {column: texts_of(column.text) for column in columns}
    needed = {column: width_of(column) for column in columns}
    if may_grow:
        width = max(width, _with_gaps(_least(needed).values()))
    elif _with_gaps(min(wide, AMPLE) if column.is_free else wide for column, wide in needed.items()) > width:
        for column in columns:
            if column.short is not None:
                texts[column] = texts_of(column.short)
            elif column.is_whole:
                available = width - _kept_beside(column, needed)
                texts[column] = [text if cell_len(text) <= available else "…" for text in texts[column]]
        needed = {column: width_of(column) for column in columns if set(texts[column]) != {"…"}}
    shown = fitted(needed, width)
    drawn = Table(box=None, header_style="bold", pad_edge=False, padding=(0, GAP, 0, 0), collapse_padding=True)
    for column, wide in shown.items():
        justify: Literal["left", "right"] = "right" if column.is_number else "left"
        drawn.add_column(
            column.title, justify=justify, style=column.style, no_wrap=True, overflow="ellipsis", width=wide
        )
    for line in zip(*(texts[column] for column in shown), strict=True):
        drawn.add_row(*map(Text, line))
    return drawn, _with_gaps(shown.values())


def fitted(needed: Mapping[Column[T], int], available: int) -> dict[Column[T], int]:
    """The columns that fit into `available` characters, with their widths; free texts are cut, the widest first."""
    chosen = dict(needed)
    least = _least(chosen)
    leaving = sorted(chosen, key=lambda column: column.rank)
    for column in reversed(leaving):
        if column.rank and _with_gaps(least.values()) > available:
            del chosen[column], least[column]
    if _with_gaps(least.values()) > available:
        least = {column: min(width, NARROWEST) if column.is_free else width for column, width in least.items()}
    while (excess := _with_gaps(chosen.values()) - available) > 0:
        cuttable = {column: width for column, width in chosen.items() if width > least[column]}
        if not cuttable:
            break
        widest = max(cuttable, key=lambda column: cuttable[column])
        others = [width for column, width in cuttable.items() if column is not widest]
        floor = max(least[widest], max(others, default=0) - 1)
        chosen[widest] = max(floor, chosen[widest] - excess)
    return chosen


def _kept_beside(column: Column[T], needed: Mapping[Column[T], int]) -> int:
    """Characters that the columns which stay need at least beside this one."""
    others = [other for other in needed if other is not column and not other.rank]
    return sum(GAP + (min(needed[other], NARROWEST) if other.is_free else needed[other]) for other in others)


def _least(needed: Mapping[Column[T], int]) -> dict[Column[T], int]:
    return {column: min(width, column.least) if column.is_free else width for column, width in needed.items()}


def _with_gaps(widths: Iterable[int]) -> int:
    listed_widths = list(widths)
    return sum(listed_widths) + GAP * (len(listed_widths) - 1)


def console() -> Console:
    """Standard output; wide and without colour when it is not a terminal."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else WIDE
    return Console(file=drawing_file(sys.stdout), highlight=False, soft_wrap=False, width=width)
