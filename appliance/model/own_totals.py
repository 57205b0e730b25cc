"""Totals on agents and chains, which only count where nothing below them does: they must not count twice.

Most agents repeat the totals of their calls. Some (Claude's Agent SDK through OpenInference) record no spans for calls,
so their totals are all there is; some have a cost that no call below them has.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from appliance.model.observations import Observation


class NestedStep(msgspec.Struct, frozen=True):
    """The columns of an observation that decide whether totals above it count."""

    trace_id: str
    id: str
    parent_id: str
    has_usage: bool
    has_cost: bool


@dataclass(frozen=True, slots=True)
class OwnTotals:
    """The three possible rows of an agent."""

    counted: Observation
    """With its model, usage and cost."""
    only_cost: Observation
    """With the sent cost only; the tokens below it count."""
    set_aside: Observation
    """With its totals as metadata only."""

    def choice(self, below: Below) -> Observation:
        """The row that counts, by what is below the agent."""
        if self.counted.id in below.costs:
            return self.set_aside
        return self.only_cost if self.counted.id in below.usage else self.counted


@dataclass(frozen=True, slots=True)
class Below:
    """Ids of the observations that have another one with usage, or with a cost, somewhere below them."""

    usage: frozenset[str]
    costs: frozenset[str]


def below(steps: Iterable[NestedStep]) -> Below:
    """Which observations of a trace have usage or costs below them.

    A parent that is not known is not below an agent that has ended: it would have ended before.
    """
    known = list(steps)
    parents = {step.id: step.parent_id for step in known}
    usage = _above([step for step in known if step.has_usage or step.has_cost], parents)
    return Below(usage, _above([step for step in known if step.has_cost], parents))


def _above(counting: list[NestedStep], parents: dict[str, str]) -> frozenset[str]:
    found: set[str] = set()
    for step in counting:
        above = step.parent_id
        while above and above not in found:
            found.add(above)
            above = parents.get(above, "")
    return frozenset(found)


def step_of(row: Observation) -> NestedStep:
    """The columns of a row that is about to be written."""
    has_usage = any(row.usage_details.values())
    return NestedStep(row.trace_id, row.id, row.parent_id, has_usage, bool(row.total_cost))
