"""How much a worker aggregates at once, and when it leaves the rest to others."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.errors import QueryTooExpensive
from appliance.storage.clickhouse.traces.aggregate import MOST_DIRTY
from appliance.worker.jobs import aggregate_traces as aggregation


class Rounds:
    """Rounds that have memory for `room` dirty_count, and a lease that can be renewed `renewals` times."""

    def __init__(self, dirty_count: int, room: int, renewals: int = 1000) -> None:
        self.dirty_count = dirty_count
        self.room = room
        self.renewals = renewals
        self.tried: list[int] = []

    async def aggregate_round(self, _: Any, *, most: int, soon: bool) -> int:
        self.tried.append(most)
        chosen = min(most, self.dirty_count)
        if chosen > self.room:
            raise QueryTooExpensive("No memory.")
        self.dirty_count -= chosen
        return chosen

    async def renew(self) -> bool:
        self.renewals -= 1
        return self.renewals >= 0


async def aggregate(rounds: Rounds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aggregation, "aggregate_round", rounds.aggregate_round)
    anything: Any = rounds
    await aggregation.aggregate_all(anything, anything)


async def test_rounds_follow_each_other_until_all_is_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = Rounds(2 * MOST_DIRTY + 5, room=MOST_DIRTY)
    await aggregate(rounds, monkeypatch)
    assert (rounds.dirty_count, rounds.tried) == (0, [MOST_DIRTY] * 3)


async def test_what_is_too_much_is_tried_with_less(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = Rounds(MOST_DIRTY, room=MOST_DIRTY // 10)
    await aggregate(rounds, monkeypatch)
    assert (rounds.dirty_count, set(rounds.tried)) == (0, {MOST_DIRTY, MOST_DIRTY // 8, MOST_DIRTY // 64})


async def test_what_is_always_too_much_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = Rounds(5, room=0)
    with pytest.raises(QueryTooExpensive):
        await aggregate(rounds, monkeypatch)
    assert rounds.tried[-1] == 1


async def test_without_the_lease_no_other_round_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = Rounds(3 * MOST_DIRTY, room=MOST_DIRTY, renewals=1)
    await aggregate(rounds, monkeypatch)
    assert rounds.dirty_count == MOST_DIRTY


class Waiting:
    """Traces that wait, a lease that can be taken or not, and a clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, dirty_count: int, *, is_free: bool = True) -> None:
        self.dirty_count = dirty_count
        self.is_free = is_free
        self.is_held = False
        self.now = 1000.0
        self.rounds: list[bool] = []
        """Whether each round was in a hurry."""
        monkeypatch.setattr(aggregation, "count_pending", self._count)
        monkeypatch.setattr(aggregation, "aggregate_round", self._aggregate)
        monkeypatch.setattr(aggregation, "forget_dirty_traces", self._count)
        anything: Any = self
        self.aggregator = aggregation.Aggregator(anything, anything, lambda: self.now)

    async def _count(self, _: Any) -> int:
        return self.dirty_count

    async def _aggregate(self, _: Any, *, most: int, soon: bool) -> int:
        assert self.is_held
        self.rounds.append(soon)
        return 0

    async def take(self) -> bool:
        self.is_held = self.is_free
        return self.is_free

    async def renew(self) -> bool:
        return True

    async def give_back(self) -> None:
        self.is_held = False

    async def look(self, after_s: float, dirty_count: int) -> list[bool]:
        """The rounds of a look some seconds later."""
        self.now += after_s
        self.dirty_count = dirty_count
        self.rounds.clear()
        await self.aggregator.look()
        assert not self.is_held
        return self.rounds


async def test_few_traces_wait_for_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Waiting(monkeypatch, 1)
    assert await waiting.look(0, 1) == [False]
    assert await waiting.look(aggregation.EVERY_S - 1, 1) == []
    assert await waiting.look(1, 1) == [False]
    assert waiting.aggregator.pause_s == aggregation.COUNT_EVERY_S


async def test_many_traces_are_folded_at_once_and_what_comes_after_them_too(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Waiting(monkeypatch, 1)
    assert await waiting.look(0, 0) == [False]
    assert await waiting.look(5, aggregation.MANY_TRACES - 1) == []
    assert await waiting.look(5, aggregation.MANY_TRACES) == [True]
    assert waiting.aggregator.pause_s == aggregation.COUNT_SOON_S
    assert await waiting.look(2, 1) == [True]
    assert await waiting.look(2, 0) == []
    assert await waiting.look(aggregation.HURRY_FOR_S, 1) == [False]
    assert waiting.aggregator.pause_s == aggregation.COUNT_EVERY_S


async def test_what_another_worker_folds_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Waiting(monkeypatch, 1, is_free=False)
    assert await waiting.look(aggregation.EVERY_S, aggregation.MANY_TRACES) == []
