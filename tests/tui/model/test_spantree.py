"""The tree of observations and its waterfall."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from tui.api.sample_data import many_observations
from tui.model.records import Observation
from tui.model.spantree import SpanTree, bar_cells

START = datetime(2026, 11, 23, tzinfo=UTC)


def observation(name: str, parent: str | None = None, at: float = 0, end: float = 1, **more: object) -> Observation:
    return Observation(
        id=name,
        name=name,
        parent_observation_id=parent,
        start_time=START + timedelta(seconds=at),
        end_time=START + timedelta(seconds=end),
        **more,  # type: ignore[arg-type]
    )


def names(tree: SpanTree, *collapsed: str) -> list[str]:
    return [node.id for node in tree.visible(set(collapsed))]


def test_children_follow_their_parent_in_order_of_start() -> None:
    tree = SpanTree([observation("late", "root", 2, 3), observation("early", "root", 1, 2), observation("root")])
    assert names(tree) == ["root", "early", "late"]
    assert [node.prefix for node in tree.order] == ["", "├ ", "└ "]


def test_orphans_and_cycles_stand_at_the_top() -> None:
    tree = SpanTree([observation("orphan", "gone"), observation("a", "b", 1), observation("b", "a", 2)])
    assert set(names(tree)) == {"orphan", "a", "b"}


def test_collapsed_nodes_hide_what_is_below_and_sums_stay() -> None:
    tree = SpanTree(
        [
            observation("root"),
            observation("x", "root", total_cost=0.5),
            observation("y", "x", total_cost=0.25, level="ERROR"),
        ]
    )
    assert names(tree, "x") == ["root", "x"]
    assert (tree.roots[0].cost, tree.roots[0].size, tree.roots[0].errors) == (0.75, 3, 1)


def test_jumps_go_round() -> None:
    tree = SpanTree([observation("a", level="ERROR"), observation("b", at=1), observation("c", at=2, level="ERROR")])
    found = [tree.next_error(after) for after in (None, "a", "c")]
    assert [node.id for node in found if node] == ["a", "c", "a"]


def test_bar_lies_where_the_time_was() -> None:
    tree = SpanTree([observation("root", end=10), observation("x", "root", 5, 7.5)])
    cells = bar_cells(tree.bar(tree.nodes["x"], 20), 20)
    assert "".join(char for char, _ in cells) == " " * 10 + "━" * 5 + " " * 5


def test_fifty_thousand_observations_are_laid_out_in_linear_time() -> None:
    observations = many_observations(50_000, START)
    began = time.process_time()
    tree = SpanTree(observations)
    assert len(tree.visible(set())) == 50_000
    assert time.process_time() - began < 15  # half a second alone; minutes if each looked at all others
