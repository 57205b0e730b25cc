"""Charts as text: sparklines, bars and stacked columns out of block characters; pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

BLOCKS = " ▁▂▃▄▅▆▇█"
LEFT_BLOCKS = " ▏▎▍▌▋▊▉█"


def sparkline(values: Sequence[float], width: int) -> str:
    """One line of columns, the highest value full; resampled to `width`."""
    if not values or width <= 0:
        return ""
    points = resample(values, width)
    top = max(points)
    if top <= 0:
        return BLOCKS[1] * len(points)
    return "".join(BLOCKS[max(1, round(value / top * 8))] for value in points)


def resample(values: Sequence[float], width: int) -> list[float]:
    """As many points as `width`: neighbours averaged when there are too many, repeated when too few."""
    points: list[float] = []
    for index in range(width if values else 0):
        low, high = index * len(values) // width, (index + 1) * len(values) // width
        points.append(sum(values[low:high]) / (high - low) if high > low else values[low])
    return points


def group(values: Sequence[float], most: int) -> list[float]:
    """At most `most` points, each the sum of an equal number of neighbours; the last may hold fewer."""
    step = -(-len(values) // most)
    return [sum(values[start : start + step]) for start in range(0, len(values), step)]


def bar(share: float, width: int) -> str:
    """A horizontal bar, eighths of a cell exact, padded to `width`; `share` is 0 to 1."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    full, rest = divmod(eighths, 8)
    text = "█" * full + (LEFT_BLOCKS[rest] if rest else "")
    return text.ljust(width)


@dataclass(frozen=True, slots=True)
class Cell:
    """One character of a chart with the series that colours it; None is the background."""

    char: str
    front: int | None
    back: int | None = None


def stacked_columns(series: Sequence[Sequence[float]], width: int, height: int) -> list[list[Cell]]:
    """Rows (top first) of a stacked column chart, `series[i][x]` piled up from i = 0; scaled to the highest pile."""
    length = max((len(values) for values in series), default=0)
    if not length or height <= 0 or width <= 0:
        return [[Cell(" ", None)] * max(width, 0) for _ in range(max(height, 0))]
    columns = [group(values, width) if length > width else list(values) for values in series]
    count = len(columns[0])
    top = max(sum(values[x] for values in columns) for x in range(count))
    rows = [[Cell(" ", None)] * width for _ in range(height)]
    spans = _spans(count, width)
    for x, (start, end) in enumerate(spans):
        pile = _pile([values[x] for values in columns], top, height)
        for y, cell in enumerate(pile):
            for column in range(start, end):
                rows[height - 1 - y][column] = cell
    return rows


GAPPED: Final = 4
"""Cells per column from which columns stand apart; narrower ones fill the width and touch each other."""


def _spans(count: int, width: int) -> list[tuple[int, int]]:
    """Where each of `count` columns starts and ends."""
    step = width // count
    if step >= GAPPED:
        return [(x * step, (x + 1) * step - 1) for x in range(count)]
    return [(x * width // count, (x + 1) * width // count) for x in range(count)]


def used_width(count: int, width: int) -> int:
    """The part of `width` that a chart of `count` points fills."""
    step = width // max(count, 1)
    return step * count if count and step >= GAPPED else width


def _pile(values: Sequence[float], top: float, height: int) -> list[Cell]:
    """Cells of one column, bottom first."""
    edges: list[int] = []
    total = 0.0
    for value in values:
        total += value
        edges.append(round(total / top * height * 8) if top > 0 else 0)
    if total > 0 and edges[-1] == 0:  # a small value is still seen
        edges[-1] = 1
    return [_cell(edges, y * 8) for y in range(height)]


def _cell(edges: Sequence[int], base: int) -> Cell:
    owner = next((i for i, edge in enumerate(edges) if edge > base), None)
    if owner is None:
        return Cell(" ", None)
    filled = min(edges[owner] - base, 8)
    if filled == 8:
        return Cell("█", owner)
    # A cell has two colours: the block in front, and the next series behind it.
    above = next((i for i, edge in enumerate(edges) if edge > base + filled), None)
    return Cell(BLOCKS[filled], owner, above)
