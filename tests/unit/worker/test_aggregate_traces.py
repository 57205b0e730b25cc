"""How much a worker folds at once, and when it leaves the rest to others."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.errors import QueryTooExpensive
from appliance.storage.clickhouse.traces.aggregate import MOST_TOUCHES
from appliance.worker.jobs import aggregate_traces as folding


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
    await folding.fold_all(anything, anything)


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
    """Traces that wait, a lease that can be taken or not, and a clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, touches: int, *, is_free: bool = True) -> None:
        self.touches = touches
        self.is_free = is_free
        self.is_held = False
        self.now = 1000.0
        self.rounds: list[bool] = []
        """Whether each round was in a hurry."""
        monkeypatch.setattr(folding, "count_waiting", self._count)
        monkeypatch.setattr(folding, "fold_round", self._fold)
        monkeypatch.setattr(folding, "forget_touches", self._count)
        anything: Any = self
        self.folder = folding.Folder(anything, anything, lambda: self.now)

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

    async def look(self, after_s: float, touches: int) -> list[bool]:
        """The rounds of a look some seconds later."""
        self.now += after_s
        self.touches = touches
        self.rounds.clear()
        await self.folder.look()
        assert not self.is_held
        return self.rounds


async def test_few_traces_wait_for_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Waiting(monkeypatch, 1)
    assert await waiting.look(0, 1) == [False]
    assert await waiting.look(folding.EVERY_S - 1, 1) == []
    assert await waiting.look(1, 1) == [False]
    assert waiting.folder.pause_s == folding.LOOK_EVERY_S


async def test_many_traces_are_folded_at_once_and_what_comes_after_them_too(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Waiting(monkeypatch, 1)
    assert await waiting.look(0, 0) == [False]
    assert await waiting.look(5, folding.MANY_TRACES - 1) == []
    assert await waiting.look(5, folding.MANY_TRACES) == [True]
    assert waiting.folder.pause_s == folding.LOOK_SOON_S
    assert await waiting.look(2, 1) == [True]
    assert await waiting.look(2, 0) == []
    assert await waiting.look(folding.HURRY_FOR_S, 1) == [False]
    assert waiting.folder.pause_s == folding.LOOK_EVERY_S


async def test_what_another_worker_folds_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Waiting(monkeypatch, 1, is_free=False)
    assert await waiting.look(folding.EVERY_S, folding.MANY_TRACES) == []
