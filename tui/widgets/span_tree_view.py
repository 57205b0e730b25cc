"""The tree of a trace beside its waterfall, drawn row by row, for any number of observations."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import BindingType
from textual.strip import Strip

from appliance.api_types.scores import ApiScore
from appliance.model import format
from tui.keymap import TREE, bindings
from tui.model.records import score_text
from tui.model.spantree import Node, SpanTree, bar_cells
from tui.text.cells import Cell, cell_segments
from tui.text.palette import ICONS, Palette
from tui.widgets.line_scroll import LineScroll


class SpanTreeView(LineScroll):
    """Rows of `SpanTree.visible`; what is collapsed is this widget's own state."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(TREE)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.spans = SpanTree([])
        self.rows: list[Node] = []
        self.minimum_level = "DEBUG"
        self._collapsed: set[str] = set()
        self._step_scores: dict[str, list[ApiScore]] = {}

    @property
    def current(self) -> Node | None:
        """The node at the cursor."""
        return self.rows[self.cursor] if self.rows else None

    def show(self, tree: SpanTree, scores: dict[str, list[ApiScore]]) -> None:
        """Replaces the tree; the cursor stays on the same observation."""
        here = self.current.id if self.current else None
        self.spans, self._step_scores = tree, scores
        self._refill(here)

    def go_to(self, node: Node) -> None:
        """Puts the cursor on a node, opening what hides it."""
        self._collapsed -= {above.id for above in self.spans.ancestors(node)}
        self._refill(node.id)

    def set_minimum_level(self, level: str) -> None:
        """Hides everything below a level."""
        self.minimum_level = level
        self._refill(self.current.id if self.current else None)

    def toggle_all(self) -> None:
        """Collapses everything below the roots, or opens everything."""
        here = self.current
        self._collapsed = (
            set() if self._collapsed else {node.id for node in self.spans.order if node.children and node.depth}
        )
        while here is not None and any(above.id in self._collapsed for above in self.spans.ancestors(here)):
            here = here.parent
        self._refill(here.id if here else None)

    def action_fold(self) -> None:
        if (node := self.current) and node.children:
            self._collapsed ^= {node.id}
            self._refill(node.id)

    def action_collapse(self) -> None:
        node = self.current
        if node is None:
            return
        if node.children and node.id not in self._collapsed:
            self.action_fold()
        elif node.parent is not None:
            self._refill(node.parent.id)

    def action_expand(self) -> None:
        if (node := self.current) and node.id in self._collapsed:
            self.action_fold()
        else:
            self.cursor += 1

    def _refill(self, at: str | None) -> None:
        self.rows = self.spans.visible(self._collapsed, self.minimum_level)
        place = next((i for i, node in enumerate(self.rows) if node.id == at), 0) if at else 0
        self.set_count(len(self.rows), cursor=place)

    def render_row(self, index: int, width: int, is_cursor: bool) -> Strip:
        palette = self.palette
        base = self.rich_style
        if is_cursor:
            base += Style(bgcolor=palette.cursor if self.has_focus else palette.panel)
        node = self.rows[index]
        name, figures, bar = _widths(width - 2)
        segments = [Segment("▎" if is_cursor else " ", base + Style.parse(palette.accent))]
        segments += cell_segments(self._title(node, palette), name, "left", base)
        for text, room, style in _figures(node, palette, figures):
            segments += cell_segments([(text, style)], room, "right", base)
        segments.append(Segment("  ", base))
        if bar:
            segments += self._bar(node, bar, palette, base)
        return Strip(segments).adjust_cell_length(width, base)

    def _title(self, node: Node, palette: Palette) -> Cell:
        one = node.observation
        color = palette.bad if one.level == "ERROR" else palette.warn if one.level == "WARNING" else palette.text
        pieces = [
            (node.prefix, palette.faint),
            (ICONS.get(one.type, "▪") + " ", palette.kind(one.type)),
            (one.name or one.type.lower(), color if node.depth else f"bold {color}"),
        ]
        if node.id in self._collapsed:
            pieces.append((f"  +{node.size - 1}", palette.accent))
            if node.errors:
                pieces.append((f" {node.errors} ✗", palette.bad))
        scores = self._step_scores.get(node.id, [])[:2]
        pieces += [(f"  {score.name} {score_text(score)}", palette.series[2]) for score in scores]
        if one.model_name:
            pieces.append((f"  {one.model_name}", palette.faint))
        return pieces

    def _bar(self, node: Node, width: int, palette: Palette, base: Style) -> list[Segment]:
        one = node.observation
        color = (
            palette.bad if one.level == "ERROR" else palette.warn if one.level == "WARNING" else palette.kind(one.type)
        )
        strong, faint = base + Style.parse(color), base + Style.parse(palette.faint)
        start = self.spans.bar(node, width).start // 2
        if one.is_open:
            return [Segment(" " * start, base), Segment("┄" * (width - start), strong)]
        if one.end_time is None or one.end_time == one.start_time:
            return [Segment(" " * start + "◆", strong), Segment(" " * (width - start - 1), base)]
        cells = bar_cells(self.spans.bar(node, width), width)
        return [Segment(char, faint if waiting else strong) for char, waiting in cells]


def _widths(width: int) -> tuple[int, int, int]:
    """How wide name, figures and waterfall are."""
    if width < 40:
        return width - 10, 1, 0
    if width < 64:
        return width - 10 - 14, 1, 12
    figures = 3 if width >= 84 else 2
    room = 9 * figures + (width - 9 * figures) * 2 // 5
    return width - room - 2, figures, room - 9 * figures


def _figures(node: Node, palette: Palette, many: int) -> list[tuple[str, int, str]]:
    shown = "open" if node.observation.is_open else format.duration(node.observation.duration)
    found = [(shown, 9, palette.warn if node.observation.is_open else palette.text)]
    if many >= 2:
        found.append((format.cost(node.cost) if node.cost else "", 9, palette.muted))
    if many >= 3:
        found.append((format.count(node.tokens) if node.tokens else "", 9, palette.muted))
    return found
