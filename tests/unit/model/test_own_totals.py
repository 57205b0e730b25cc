"""What agents tell of themselves counts where nothing below them does."""

from __future__ import annotations

import pytest

from appliance.model.observations import Observation
from appliance.model.own_totals import NestedStep, OwnTotals, below


def step(id: str, parent: str, *, usage: bool = False, cost: bool = False) -> NestedStep:
    return NestedStep("t", id, parent, usage, cost)


def row(name: str) -> Observation:
    return Observation(
        project_id="p", trace_id="t", id="agent", name=name, start_time=0, event_ts=0, created_at=0, updated_at=0
    )


TOTALS = OwnTotals(row("counted"), row("only cost"), row("set aside"))


@pytest.mark.parametrize(
    ("steps", "name"),
    [
        ([], "counted"),
        ([step("tool", "agent")], "counted"),
        ([step("call", "agent", usage=True)], "only cost"),
        ([step("call", "agent", usage=True, cost=True)], "set aside"),
        ([step("turn", "agent"), step("call", "turn", cost=True)], "set aside"),
        ([step("other", "", cost=True)], "counted"),
        ([step("call", "away", cost=True)], "counted"),
        ([step("a", "b", cost=True), step("b", "a")], "counted"),
    ],
)
def test_an_agent_counts_as_far_as_nothing_below_it_does(steps: list[NestedStep], name: str) -> None:
    held = below([step("agent", "root", usage=True, cost=True), *steps])

    assert TOTALS.choice(held).name == name


def test_of_agents_within_each_other_the_inner_one_counts() -> None:
    held = below([step("agent", "", cost=True), step("inner", "agent", cost=True)])

    assert TOTALS.choice(held).name == "set aside"
    assert "inner" not in held.costs
