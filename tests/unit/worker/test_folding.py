"""How much a worker folds at once, and when it leaves the rest to others."""

from __future__ import annotations

import asyncio
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


async def test_many_traces_are_not_waited_with() -> None:
    unfolded = folding.Unfolded()
    waiting = asyncio.create_task(unfolded.become_many(within_s=60))
    for _ in range(2):
        unfolded.add(folding.MANY_TRACES // 2)
    assert await waiting
    unfolded.add(1)
    assert not await unfolded.become_many(within_s=0)
