"""How a worker ends: in an orderly way, or by an error that ends all of it."""

from __future__ import annotations

import asyncio

import pytest

from appliance.errors import StoreUnavailable
from appliance.worker.runner import STOP_S
from tests.unit.worker.working import AWAY, Works, let_pass, now, span_ids, until


@pytest.fixture
async def works() -> Works:
    return Works()


async def begin(works: Works) -> asyncio.Task[None]:
    """A worker that has the entry of span 1 in hand."""
    await works.put(1)
    working = asyncio.create_task(works.worker().work())
    await until(lambda: works.tables.writes)
    return working


async def test_told_to_stop_it_writes_what_it_has_in_hand(works: Works) -> None:
    works.tables.open.clear()
    working = await begin(works)
    await works.put(2)
    await until(lambda: len(works.stream.held) == 2)
    works.stopping.set()
    await let_pass(1)
    works.tables.open.set()
    await working
    assert works.tables.ids == span_ids(1, 2)
    assert (works.stream.entries, works.heartbeats.stopped) == ({}, ["worker-1"])


async def test_told_to_stop_it_takes_nothing_new(works: Works) -> None:
    works.tables.open.clear()
    working = await begin(works)
    works.stopping.set()
    await let_pass(1)
    await works.put(2)
    works.tables.open.set()
    await working
    assert (works.tables.ids, len(works.stream.entries)) == (span_ids(1), 1)


async def test_what_cannot_be_written_in_time_is_left_as_if_it_had_never_been_handed_out(works: Works) -> None:
    works.tables.open.clear()
    working = await begin(works)
    works.stopping.set()
    began = now()
    await working
    assert now() - began == pytest.approx(STOP_S, abs=0.1)
    ((delivery,), written) = await works.stream.read_pending("worker-1", 9), works.stream.written
    assert (delivery.attempts, written) == (1, {})


async def test_a_store_that_is_away_is_not_waited_for_any_longer(works: Works) -> None:
    works.tables.failing = [AWAY] * 1000
    working = await begin(works)
    works.stopping.set()
    began = now()
    await working
    assert now() - began < 1
    (delivery,) = await works.stream.read_pending("worker-1", 9)
    assert delivery.attempts == 1


async def test_the_next_worker_of_the_name_goes_on(works: Works) -> None:
    works.tables.failing = [AWAY] * 5
    working = await begin(works)
    works.stopping.set()
    await working
    works.tables.failing.clear()
    await works.work_off()
    assert works.tables.ids == span_ids(1)


async def test_many_orderly_restarts_make_no_dead_letter(works: Works) -> None:
    works.tables.failing = [AWAY] * 10_000
    await works.put(1)
    for _ in range(15):
        works.tables.writes.clear()
        async with works.running():
            await until(lambda: works.tables.writes)
    works.tables.failing.clear()
    await works.work_off()
    assert (works.tables.ids, works.letters) == (span_ids(1), [])


@pytest.mark.parametrize("method", ["ack", "read"])
async def test_an_error_of_one_part_ends_all_and_counts_as_an_attempt(works: Works, method: str) -> None:
    works.tables.open.clear()
    working = await begin(works)
    works.stream.fail(method, RuntimeError("a mistake of ours"))
    works.tables.open.set()
    with pytest.raises(RuntimeError, match="a mistake of ours"):
        await working
    assert works.heartbeats.stopped == ["worker-1"]
    assert [held.attempts for held in works.stream.held.values()] in ([1], [])
    assert not any(task.get_coro() for task in asyncio.all_tasks() - {asyncio.current_task()})


async def test_it_ends_also_when_redis_is_away(works: Works) -> None:
    works.tables.open.clear()
    working = await begin(works)
    works.stopping.set()
    works.stream.fail("keep", *[StoreUnavailable("Redis is away.")] * 99)
    await working
    assert works.stream.held


async def test_an_idle_worker_stops_soon(works: Works) -> None:
    async with works.running():
        await let_pass(100)
        began = now()
    assert now() - began < 1
