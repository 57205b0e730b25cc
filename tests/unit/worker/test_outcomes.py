"""How entries leave the hands of a worker."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from appliance.errors import (
    LookupUnavailable,
    Overloaded,
    QueryTooExpensive,
    StoreRefused,
    StoreUnavailable,
    TooMuchAtOnce,
    Undecodable,
)
from appliance.model.queue import Delivery, Entry
from appliance.worker.outcomes import PATIENCE_S, Outcomes
from appliance.worker.retry import LONGEST_S, Stopped
from tests.fakes.stream import FakeStream, Letter
from tests.unit.worker.working import AWAY, MAX_ATTEMPTS, FakeLive, now

DOUBTS = [StoreRefused("Refused."), TooMuchAtOnce("Too much."), QueryTooExpensive("Too long.")]


class Hands:
    """The outcomes of one worker that has some entries in hand."""

    def __init__(self) -> None:
        self.stream = FakeStream()
        self.live = FakeLive()
        self.stopping = asyncio.Event()
        self.outcomes = Outcomes(self.stream, self.live, MAX_ATTEMPTS, self.stopping)

    async def take(self, attempts: int = 1) -> Delivery:
        await self.stream.append(Entry(kind="events", project_id="p", body=b"[]", accepted_at=1, items=2))
        (taken,) = await self.stream.read("me", 1, 0)
        self.outcomes.in_hand[taken.id] = attempts
        return Delivery(taken.id, taken.entry, attempts)


@pytest.fixture
async def hands() -> Hands:
    return Hands()


def failing(*errors: Exception) -> Callable[[], Awaitable[str]]:
    """Work that fails with each of these first."""
    left = list(errors)

    async def work() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return work


async def endless(error: Exception) -> None:
    raise error


@pytest.mark.parametrize("error", [AWAY, Overloaded("Redis is full."), *DOUBTS])
async def test_what_may_pass_is_tried_again(hands: Hands, error: Exception) -> None:
    began = now()
    assert await hands.outcomes.persist(failing(error, error)) == "done"
    assert 0.2 < now() - began < 0.5


async def test_a_store_that_is_away_is_waited_for_without_end(hands: Hands) -> None:
    began = now()
    assert await hands.outcomes.persist(failing(*[AWAY] * 200)) == "done"
    assert now() - began > 300


async def test_it_says_what_it_waits_for_and_when_that_is_over(hands: Hands) -> None:
    told: list[str] = []

    async def work() -> None:
        told.append(hands.outcomes.waits_for)
        if len(told) == 1:
            raise AWAY

    await hands.outcomes.persist(work)
    assert [*told, hands.outcomes.waits_for] == ["", AWAY.message, ""]


@pytest.mark.parametrize("error", DOUBTS)
async def test_one_entry_that_is_perhaps_to_blame_is_tried_for_a_while(hands: Hands, error: Exception) -> None:
    began = now()
    with pytest.raises(type(error)):
        await hands.outcomes.persist(lambda: endless(error))
    assert PATIENCE_S <= now() - began < PATIENCE_S + 2 * LONGEST_S
    assert hands.outcomes.waits_for == ""


@pytest.mark.parametrize("error", DOUBTS)
async def test_of_several_the_one_to_blame_is_looked_for_at_once(hands: Hands, error: Exception) -> None:
    began = now()
    with pytest.raises(type(error)):
        await hands.outcomes.persist(lambda: endless(error), is_alone=False)
    assert now() == began


@pytest.mark.parametrize("error", [LookupUnavailable("Postgres is away."), Undecodable("No."), ValueError("ours")])
async def test_what_waiting_does_not_mend_is_raised_at_once(hands: Hands, error: Exception) -> None:
    began = now()
    with pytest.raises(type(error)):
        await hands.outcomes.persist(failing(AWAY, error))
    assert now() - began < 0.2


async def test_what_waits_for_postgres_holds_up_nothing_else(hands: Hands) -> None:
    with pytest.raises(LookupUnavailable):
        await hands.outcomes.persist(failing(AWAY, LookupUnavailable("Postgres is away.")))
    assert hands.outcomes.waits_for == ""


async def test_who_is_told_to_stop_tries_no_more(hands: Hands) -> None:
    asyncio.get_running_loop().call_later(5, hands.stopping.set)
    began = now()
    with pytest.raises(Stopped):
        await hands.outcomes.persist(lambda: endless(AWAY))
    assert now() - began == pytest.approx(5)


async def test_acknowledged_entries_are_out_of_hand_when_redis_knows(hands: Hands) -> None:
    first, second = await hands.take(), await hands.take()
    hands.stream.fail("ack", AWAY, AWAY)
    await hands.outcomes.acknowledge([first], {first.id: 1})
    assert (hands.stream.written, set(hands.outcomes.in_hand)) == ({first.id: (1, 1)}, {second.id})


async def test_what_cannot_be_acknowledged_stays_in_hand(hands: Hands) -> None:
    delivery = await hands.take()
    hands.stopping.set()
    hands.stream.fail("ack", AWAY)
    with pytest.raises(Stopped):
        await hands.outcomes.acknowledge([delivery], {})
    assert set(hands.outcomes.in_hand) == {delivery.id}


async def test_a_dead_letter_says_why(hands: Hands) -> None:
    delivery = await hands.take(attempts=2)
    hands.stream.fail("dead_letter", StoreUnavailable("Redis is away."))
    await hands.outcomes.dead_letter(delivery, "It is broken.")
    assert hands.stream.letters == [Letter(delivery.entry, "It is broken.", 2)]
    assert hands.outcomes.in_hand == {}


async def test_a_part_is_set_aside_and_the_entry_stays_in_hand(hands: Hands) -> None:
    delivery = await hands.take()
    hands.stream.fail("dead_letter_part", AWAY)
    part = Entry(kind="events", project_id="p", body=b"[1]", accepted_at=1)
    await hands.outcomes.dead_letter_part(delivery, 3, part, "It is broken.")
    assert hands.stream.letters == [Letter(part, "It is broken.", 1)]
    assert set(hands.outcomes.in_hand) == {delivery.id}


@pytest.mark.parametrize(("attempts", "letters"), [(1, 0), (MAX_ATTEMPTS - 1, 0), (MAX_ATTEMPTS, 1)])
async def test_a_failure_is_tried_later_so_many_times(hands: Hands, attempts: int, letters: int) -> None:
    delivery = await hands.take(attempts)
    await hands.outcomes.retry_later(delivery, "No luck.")
    assert (len(hands.stream.letters), hands.outcomes.in_hand) == (letters, {})
    assert len(hands.stream.entries) == 1 - letters


async def test_stopping_is_nobodys_failure(hands: Hands) -> None:
    delivery = await hands.take(attempts=2)
    await hands.outcomes.hand_back("me")
    (again,) = await hands.stream.read_pending("me", 1)
    assert (again.id, again.attempts) == (delivery.id, 2)


async def test_every_project_is_told_of_its_traces(hands: Hands) -> None:
    hands.live.failing = [AWAY]
    await hands.outcomes.report_changes({"p": ["a", "b"], "q": ["c"]})
    assert hands.live.told == [("p", ["a", "b"]), ("q", ["c"])]
