"""How much a worker folds at once, and when it leaves the rest to others."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.errors import QueryTooExpensive
from appliance.storage.clickhouse.folding import MOST_TOUCHES
from appliance.worker import folding


class Rounds:
    """Rounds that have memory for `room` touches, and a lease that can be renewed `renewals` times."""

    def __init__(self, touches: int, room: int, renewals: int = 1000) -> None:
        self.touches = touches
        self.room = room
        self.renewals = renewals
        self.tried: list[int] = []

    async def fold_round(self, _: Any, *, most: int, soon: bool) -> int:
        self.tried.append(most)
        chosen = min(most, self.touches)
        if chosen > self.room:
            raise QueryTooExpensive("No memory.")
        self.touches -= chosen
        return chosen

    async def renew(self) -> bool:
        self.renewals -= 1
        return self.renewals >= 0


async def fold(rounds: Rounds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "fold_round", rounds.fold_round)
    anything: Any = rounds
    await folding._fold_all(anything, anything)


async def test_rounds_follow_each_other_until_all_is_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = Rounds(2 * MOST_TOUCHES + 5, room=MOST_TOUCHES)
    await fold(rounds, monkeypatch)
    assert (rounds.touches, rounds.tried) == (0, [MOST_TOUCHES] * 3)


async def test_what_is_too_much_is_tried_with_less(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = Rounds(MOST_TOUCHES, room=MOST_TOUCHES // 10)
    await fold(rounds, monkeypatch)
    assert (rounds.touches, set(rounds.tried)) == (0, {MOST_TOUCHES, MOST_TOUCHES // 8, MOST_TOUCHES // 64})


async def test_what_is_always_too_much_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = Rounds(5, room=0)
    with pytest.raises(QueryTooExpensive):
        await fold(rounds, monkeypatch)
    assert rounds.tried[-1] == 1


async def test_without_the_lease_no_other_round_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = Rounds(3 * MOST_TOUCHES, room=MOST_TOUCHES, renewals=1)
    await fold(rounds, monkeypatch)
    assert rounds.touches == MOST_TOUCHES


class Waiting:
    """A lease that can be taken or not, and traces that wait."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, touches: int, *, is_free: bool = True) -> None:
        self.is_free = is_free
        self.is_held = False
        self.rounds: list[bool] = []
        monkeypatch.setattr(folding, "count_waiting", self._count)
        monkeypatch.setattr(folding, "fold_round", self._fold)
        self.touches = touches

    async def _count(self, _: Any) -> int:
        return self.touches

    async def _fold(self, _: Any, *, most: int, soon: bool) -> int:
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

    async def fold(self, rested_s: float) -> bool:
        anything: Any = self
        return await folding.fold_when_due(anything, anything, rested_s)


async def test_many_traces_are_folded_at_once_and_in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Waiting(monkeypatch, folding.MANY_TRACES)
    assert await waiting.fold(rested_s=0)
    assert (waiting.rounds, waiting.is_held) == ([True], False)


async def test_few_traces_wait_for_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Waiting(monkeypatch, folding.MANY_TRACES - 1)
    assert not await waiting.fold(rested_s=folding.EVERY_S - 1)
    assert await waiting.fold(rested_s=folding.EVERY_S)
    assert waiting.rounds == [False]


async def test_what_another_worker_folds_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Waiting(monkeypatch, folding.MANY_TRACES, is_free=False)
    assert not await waiting.fold(rested_s=folding.EVERY_S)
    assert waiting.rounds == []
