"""The tree of a trace's observations and its waterfall: pure, fast enough for 50,000 observations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from appliance.model.observations import LEVELS
from tui.model.records import Observation

DRAWN_DEPTH: Final = 16
"""Deeper rows are indented no further, so that names stay readable."""

LEVEL_RANK: Final = {level: rank for rank, level in enumerate(LEVELS)}


@dataclass(slots=True, eq=False)
class Node:
    """One observation in the tree, with the sums of all that is below it and itself."""

    observation: Observation
    depth: int = 0
    prefix: str = ""
    """The guide lines left of the icon."""
    children: list[Node] = field(default_factory=list)
    parent: Node | None = None
    cost: float = 0.0
    tokens: int = 0
    size: int = 1
    """Observations in this subtree."""
    errors: int = 0

    @property
    def id(self) -> str:
        return self.observation.id


@dataclass(frozen=True, slots=True)
class Bar:
    """Where an observation lies in the waterfall, in half cells of its width."""

    start: int
    end: int
    first_token: int | None = None


class SpanTree:
    """All observations of one trace as a forest, ordered by start time; orphans and cycles stand at the top."""

    def __init__(self, observations: Iterable[Observation]) -> None:
        ordered = sorted(observations, key=lambda one: (one.start_time, one.id))
        self.nodes = {one.id: Node(one) for one in ordered}
        self.roots: list[Node] = []
        for node in self.nodes.values():
            parent = self.nodes.get(node.observation.parent_observation_id or "")
            if parent is None or parent is node:
                self.roots.append(node)
            else:
                node.parent = parent
                parent.children.append(node)
        self.order = self._walk()
        self._sum_up()
        self.start, self.end = _extent(ordered)

    def __len__(self) -> int:
        return len(self.nodes)

    def visible(self, collapsed: set[str], minimum_level: str = "DEBUG") -> list[Node]:
        """The rows that show, top to bottom: nothing below a collapsed node, nothing under the minimum level."""
        least = LEVEL_RANK[minimum_level]
        rows: list[Node] = []
        skip_below: int | None = None
        for node in self.order:
            if skip_below is not None:
                if node.depth > skip_below:
                    continue
                skip_below = None
            if node.id in collapsed and node.children:
                skip_below = node.depth
            if least <= 0 or LEVEL_RANK.get(node.observation.level or "DEFAULT", 1) >= least:
                rows.append(node)
        return rows

    def bar(self, node: Node, width: int) -> Bar:
        """The node's place in a waterfall of `width` cells."""
        span = max((self.end - self.start).total_seconds(), 1e-6)
        scale = 2 * width / span
        one = node.observation
        start = min(int((one.start_time - self.start).total_seconds() * scale), 2 * width - 1)
        end = one.end_time or one.start_time
        stop = max(start + 1, min(round((end - self.start).total_seconds() * scale), 2 * width))
        token = None
        if one.completion_start_time and one.completion_start_time > one.start_time:
            token = min(max(int((one.completion_start_time - self.start).total_seconds() * scale), start), stop)
        return Bar(start, stop, token)

    def next_error(self, after: str | None) -> Node | None:
        """The first node with level ERROR after the given one, starting over at the end; None when there is none."""
        bad = [node for node in self.order if node.observation.level == "ERROR"]
        return self._next(bad, after)

    def find(self, text: str, after: str | None) -> Node | None:
        """The next node whose name, type, model, status or id holds the text, starting over at the end."""
        wanted = text.lower()
        return self._next([node for node in self.order if wanted in _searched(node.observation)], after)

    def slowest(self) -> Node | None:
        """The longest leaf, or the longest node when no leaf has a duration."""
        timed = [node for node in self.order if node.observation.duration]
        leaves = [node for node in timed if not node.children]
        return max(leaves or timed, key=lambda node: node.observation.duration or 0.0, default=None)

    def most_expensive(self) -> Node | None:
        """The single observation that cost most; None when nothing cost anything."""
        best = max(self.order, key=lambda node: node.observation.cost, default=None)
        return best if best and best.observation.cost > 0 else None

    def ancestors(self, node: Node) -> list[Node]:
        """The nodes above, nearest first."""
        above: list[Node] = []
        while node.parent is not None:
            node = node.parent
            above.append(node)
        return above

    def _next(self, candidates: list[Node], after: str | None) -> Node | None:
        if not candidates:
            return None
        place = {node.id: index for index, node in enumerate(self.order)}
        here = place.get(after or "", -1)
        return next((node for node in candidates if place[node.id] > here), candidates[0])

    def _walk(self) -> list[Node]:
        order: list[Node] = []
        seen: set[str] = set()
        self._descend(self.roots, order, seen)
        for node in self.nodes.values():
            if node.id not in seen:  # only a cycle of parents is never reached from a root
                if node.parent is not None:
                    node.parent.children.remove(node)
                    node.parent = None
                self.roots.append(node)
                self._descend([node], order, seen)
        return order

    @staticmethod
    def _descend(roots: list[Node], order: list[Node], seen: set[str]) -> None:
        stack = [(node, 0, "", "") for node in reversed(roots)]
        while stack:
            node, depth, prefix, below = stack.pop()
            if node.id in seen:
                continue
            seen.add(node.id)
            node.depth, node.prefix = depth, prefix
            order.append(node)
            last = len(node.children) - 1
            drawn = depth < DRAWN_DEPTH
            for index in range(last, -1, -1):
                own = ("└ " if index == last else "├ ") if drawn else ""
                carried = ("  " if index == last else "│ ") if drawn else ""
                stack.append((node.children[index], depth + 1, below + own, below + carried))

    def _sum_up(self) -> None:
        for node in self.order:
            node.cost, node.tokens = node.observation.cost, node.observation.tokens
            node.errors = int(node.observation.level == "ERROR")
        for node in reversed(self.order):
            if node.parent is not None:
                node.parent.cost += node.cost
                node.parent.tokens += node.tokens
                node.parent.size += node.size
                node.parent.errors += node.errors


def bar_cells(bar: Bar, width: int) -> list[tuple[str, bool]]:
    """The waterfall line cell by cell: the character, and whether it lies before the first token."""
    cells: list[tuple[str, bool]] = []
    for cell in range(width):
        left = bar.start <= 2 * cell < bar.end
        right = bar.start <= 2 * cell + 1 < bar.end
        char = "━" if left and right else "╸" if left else "╺" if right else " "
        waiting = bar.first_token is not None and 2 * cell + 1 < bar.first_token
        cells.append((char, waiting))
    return cells


def _extent(observations: list[Observation]) -> tuple[datetime, datetime]:
    if not observations:
        now = datetime.now().astimezone()
        return now, now
    start = observations[0].start_time
    return start, max(one.end_time or one.start_time for one in observations)


def _searched(one: Observation) -> str:
    return f"{one.name or ''} {one.type} {one.model_name} {one.status_message or ''} {one.id}".lower()
