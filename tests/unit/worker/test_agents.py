"""Which rows a worker writes for agents whose calls may have come with another request."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest

from appliance.ingestion.process import Batch
from appliance.model.observations import Observation
from appliance.model.own_totals import NestedStep, OwnTotals
from appliance.worker.agents import Agents, TraceKey
from tests.fakes.sink import FakeTables

AT = 1_763_000_000_000_000


def row(id: str, parent: str = "", *, project: str = "p", trace: str = "t", cost: float | None = None) -> Observation:
    return Observation(
        project_id=project,
        trace_id=trace,
        id=id,
        parent_id=parent,
        start_time=AT,
        event_ts=AT,
        created_at=AT,
        updated_at=AT,
        total_cost=cost,
    )


def agent(id: str = "agent", *, project: str = "p", trace: str = "t", text: str = "") -> OwnTotals:
    apart = row(id, project=project, trace=trace)
    apart.input = text
    return OwnTotals(
        counted=msgspec.structs.replace(apart, total_cost=1.0),
        only_cost=msgspec.structs.replace(apart, total_cost=1.0),
        set_aside=apart,
    )


def batch(*totals: OwnTotals, rows: tuple[Observation, ...] = ()) -> Batch:
    return Batch(observations=[*(each.set_aside for each in totals), *rows], totals=list(totals))


class Store(FakeTables):
    """Remembers which traces it was asked about, and has no rows."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[set[TraceKey]] = []

    async def steps(self, wanted: Mapping[TraceKey, tuple[int, int]]) -> dict[TraceKey, list[NestedStep]]:
        self.asked.append(set(wanted))
        return await super().steps(wanted)


@pytest.fixture
async def store() -> Store:
    return Store()


@pytest.fixture
def agents(store: Store) -> Agents:
    return Agents(store, most_chars=1000)


def costs(rows: list[Observation]) -> dict[tuple[str, str], float | None]:
    return {(row.project_id, row.id): row.total_cost for row in rows}


async def test_all_traces_of_a_batch_are_asked_about_at_once(agents: Agents, store: Store) -> None:
    totals = [agent(trace=f"t{number}") for number in range(100)]

    decided = await agents.decide(batch(*totals))

    assert [row.total_cost for row in decided] == [1.0] * 100
    assert store.asked == [{("p", f"t{number}") for number in range(100)}]


async def test_the_same_spans_in_two_projects_are_all_written(agents: Agents) -> None:
    call = row("call", "agent", cost=0.5)
    others = tuple(msgspec.structs.replace(each, project_id="q") for each in (call, row("tool", "agent")))

    decided = await agents.decide(batch(agent(), agent(project="q"), rows=(row("tool", "agent"), *others)))

    assert costs(decided) == {
        ("p", "agent"): 1.0,
        ("p", "tool"): None,
        ("q", "agent"): None,
        ("q", "call"): 0.5,
        ("q", "tool"): None,
    }
    assert len(decided) == 5


@pytest.mark.parametrize(("accepted_at", "version"), [(AT + 5, AT + 5), (AT - 5, AT + 1)])
async def test_an_agent_that_counted_is_written_again_when_its_calls_come(
    agents: Agents, accepted_at: int, version: int
) -> None:
    await agents.decide(batch(agent()))
    later = msgspec.structs.replace(row("call", "agent", cost=0.5), event_ts=accepted_at)

    decided = await agents.decide(batch(rows=(later,)))

    assert [(row.id, row.total_cost, row.event_ts) for row in decided] == [
        ("agent", None, version),
        ("call", 0.5, accepted_at),
    ]
    assert await agents.decide(batch(rows=(later,))) == decided  # as when it could not be written


async def test_agents_with_long_texts_are_not_all_remembered(agents: Agents, store: Store) -> None:
    for trace in ("first", "second", "third"):
        await agents.decide(batch(agent(trace=trace, text="x" * 150)))
    store.asked.clear()

    for trace in ("first", "second", "third"):
        await agents.decide(batch(rows=(row("call", "agent", trace=trace, cost=0.5),)))

    assert store.asked == [{("p", "second")}, {("p", "third")}]
