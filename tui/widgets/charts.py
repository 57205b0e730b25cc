"""Tiles and charts of the home screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from rich.cells import cell_len
from rich.text import Text
from textual.app import RenderResult
from textual.reactive import reactive
from textual.widget import Widget

from appliance.model import format
from appliance.model.printable import printable
from tui.content.charts import bar, sparkline, stacked_columns, used_width
from tui.model.overview import Latency, Tile
from tui.text.cells import fit
from tui.text.palette import Palette, palette_of

SHORT_TITLES: Final = {"Observations": "Obs"}
"""What a tile that is too narrow for its title says instead."""


class TileView(Widget):
    """A figure, its change and its course."""

    tile: reactive[Tile | None] = reactive(None)

    def render(self) -> RenderResult:
        palette = palette_of(self.app.theme_variables)
        width = self.size.width
        tile = self.tile
        if tile is None:
            return Text("·····", style=palette.faint)
        color = palette.muted if tile.better is None else palette.good if tile.better else palette.bad
        title = tile.title if len(tile.title) <= width else SHORT_TITLES.get(tile.title, tile.title)
        head = Text(fit(title, width), style=palette.muted)
        change = tile.change if len(tile.value) + len(tile.change) < width else ""
        value = Text(tile.value, style=f"bold {palette.text}")
        value.append(fit(change, width - len(tile.value), "right"), style=f"not bold {color}")
        course = Text(sparkline(tile.course, width), style=palette.accent)
        return Text("\n").join([head, value, course])


class ColumnChart(Widget):
    """Stacked columns over time, one colour per series."""

    series: reactive[Mapping[str, Sequence[float]]] = reactive(dict)

    def __init__(self, title: str, show_value: Callable[[float], str], *, id: str) -> None:
        super().__init__(id=id)
        self._title = title
        self._show_value = show_value
        self._window: tuple[datetime, datetime] | None = None

    def show(self, series: Mapping[str, Sequence[float]], start: datetime, end: datetime) -> None:
        """Replaces what is drawn."""
        self._window = (start, end)
        self.series = dict(series)

    def color(self, name: str, index: int, palette: Palette) -> str:
        """The colour of a series."""
        return palette.series[index % len(palette.series)]

    def render(self) -> RenderResult:
        palette = palette_of(self.app.theme_variables)
        width, height = self.size.width, self.size.height
        names = list(self.series)
        colors = [self.color(name, index, palette) for index, name in enumerate(names)]
        title = Text(self._title.upper(), style=f"bold {palette.muted}")
        if self._window is None:
            return title
        if not names or not any(any(values) for values in self.series.values()):
            return Text("\n").join([title, Text(), Text("nothing in this time", style=f"italic {palette.faint}")])
        top = max(sum(values) for values in zip(*self.series.values(), strict=True))
        scale = self._show_value(top)
        room = width - len(scale) - 1
        lines = [
            _legend(title, names, colors, [sum(self.series[name]) for name in names], self._show_value, palette, width)
        ]
        rows = stacked_columns([self.series[name] for name in names], room, max(height - 3, 1))
        for index, row in enumerate(rows):
            label = scale if index == 0 else "0" if index == len(rows) - 1 else ""
            line = Text(fit(label, len(scale), "right") + " ", style=palette.faint)
            for cell in row:
                style = colors[cell.front] if cell.front is not None else ""
                line.append(cell.char, style=f"{style} on {colors[cell.back]}" if cell.back is not None else style)
            lines.append(line)
        filled = used_width(len(self.series[names[0]]), room)
        lines.append(_axis(*self._window, len(scale) + 1, filled, palette))
        return Text("\n").join(lines)


class LevelChart(ColumnChart):
    """Observations by level, errors red."""

    def color(self, name: str, index: int, palette: Palette) -> str:
        return palette.level(name)


class LatencyChart(Widget):
    """Percentiles by name: the bar reaches to p95, its strong part to p50."""

    rows: reactive[Sequence[Latency] | None] = reactive(None)

    def render(self) -> RenderResult:
        palette = palette_of(self.app.theme_variables)
        width, height = self.size.width, self.size.height
        title = Text("LATENCY BY TRACE NAME", style=f"bold {palette.muted}")
        if self.rows is None:
            return title
        if not self.rows:
            return Text("\n").join([title, Text(), Text("nothing in this time", style=f"italic {palette.faint}")])
        name = min(max(width // 4, 14), 28)
        room = max(width - name - 45, 0)
        heads = "".join(fit(head, 9, "right") for head in ("count", "p50", "p90", "p95", "p99"))
        lines = [
            title.append(" " * max(name - title.cell_len, 1)).append(
                heads[title.cell_len - name :] if title.cell_len > name else heads, style=palette.faint
            )
        ]
        longest = max(row.p95 for row in self.rows) or 1.0
        for row in self.rows[: height - 1]:
            line = Text(fit(row.name, name), style=palette.text)
            line.append(fit(format.count(row.count), 9, "right"), style=palette.muted)
            for value in (row.p50, row.p90, row.p95, row.p99):
                line.append(fit(format.duration(value), 9, "right"), style=palette.text)
            if room > 8:
                line.append("  ").append_text(_percentile_bar(row, longest, room - 2, palette))
            lines.append(line)
        return Text("\n").join(lines)


def _percentile_bar(row: Latency, longest: float, width: int, palette: Palette) -> Text:
    strong = bar(row.p50 / longest, width).rstrip()
    whole = bar(row.p95 / longest, width).rstrip()
    return Text.assemble((strong, palette.accent), ("─" * max(len(whole) - len(strong), 0), palette.faint))


def _legend(
    title: Text,
    names: Sequence[str],
    colors: Sequence[str],
    totals: Sequence[float],
    show_value: Callable[[float], str],
    palette: Palette,
    width: int,
) -> Text:
    line = title.copy()
    names = [printable(name) for name in names]
    whole = [f"{name} {show_value(total)}" for name, total in zip(names, totals, strict=True)]
    fits = title.cell_len + sum(cell_len(said) + 5 for said in whole[:3]) <= width
    for said, color in zip(whole if fits else names, colors, strict=True):
        if line.cell_len + cell_len(said) + 5 > width:
            break
        line.append("   ■ ", style=color).append(said, style=palette.muted)
    return line


def _axis(start: datetime, end: datetime, indent: int, width: int, palette: Palette) -> Text:
    days = (end - start).total_seconds() > 2 * 86400
    middle = start + (end - start) / 2
    labels = [f"{moment.astimezone():%b %d}" if days else f"{moment.astimezone():%H:%M}" for moment in (start, middle)]
    labels.append("now")
    gap = max(width - sum(map(len, labels)), 2)
    text = " " * indent + labels[0] + " " * (gap // 2) + labels[1] + " " * (gap - gap // 2) + labels[2]
    return Text(text, style=palette.faint)
