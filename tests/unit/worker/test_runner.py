"""A worker that has nothing to complain of: read, write, tell, acknowledge, and gather meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from appliance.ingestion.process import Batch, process
from appliance.model.pricing import Pricing
from appliance.model.queue import Delivery
from appliance.storage.redis.heartbeats import BEAT_EVERY_S
from appliance.worker import runner
from appliance.worker.runner import CLAIM_EVERY_S, GATHER_S, MANY_ROWS, STALE_MS, SUSPECT_AFTER
from tests.fakes.payloads import event
from tests.fakes.sink import numeric_config
from tests.unit.worker.working import AWAY, Works, let_pass, now, span_ids, trace_ids, until


@pytest.fixture
async def works() -> Works:
    return Works()


class Decoded:
    """Notes which entries are decoded together."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.groups: list[list[str]] = []
        monkeypatch.setattr(runner, "process", self.process)

    def process(self, deliveries: Sequence[Delivery], pricing: Pricing) -> Batch:
        self.groups.append([delivery.id for delivery in deliveries])
        return process(deliveries, pricing)


async def test_entries_become_rows_and_leave_the_queue(works: Works) -> None:
    first, second = await works.put(1, 2), await works.put(3)
    await works.work_off()
    assert works.tables.ids == span_ids(1, 2, 3)
    assert works.tables.traces == set(trace_ids(1, 2, 3))
    assert works.stream.written == {first: (2, 0), second: (1, 0)}
    assert works.letters == []


async def test_who_watches_is_told_before_the_entry_leaves(works: Works) -> None:
    works.live.failing = [AWAY] * 3
    await works.put(1)
    async with works.running():
        await until(lambda: not works.live.failing)
        assert works.stream.entries
        await works.drained()
    assert works.live.told == [("p", trace_ids(1))]


async def test_nothing_leaves_the_queue_before_it_is_written(works: Works) -> None:
    works.tables.open.clear()
    await works.put(1)
    async with works.running():
        await until(lambda: works.tables.writes)
        assert (len(works.stream.entries), works.live.told) == (1, [])
        works.tables.open.set()
        await works.drained()


async def test_refused_scores_are_counted_with_their_entry(works: Works) -> None:
    works.lookups.configs["p", "c"] = numeric_config("c", 1.0)
    scores = [
        event("score-create", value, id=f"s{value}", traceId="t", name="n", value=value, configId="c")
        for value in (1, 2)
    ]
    id = await works.put_events(*scores)
    await works.work_off()
    assert works.stream.written == {id: (1, 1)}


async def test_models_are_as_new_as_the_newest_entry(works: Works) -> None:
    await works.put(1, accepted_at=7)
    await works.put(2, accepted_at=9)
    await works.put(3, accepted_at=8)
    await works.work_off()
    assert works.lookups.refreshed == [9]


async def test_while_one_batch_is_written_the_next_one_gathers(works: Works) -> None:
    works.tables.open.clear()
    await works.put(1)
    async with works.running():
        await until(lambda: works.tables.writes)
        for number in range(2, 7):
            await works.put(number)
        await until(lambda: len(works.stream.held) == 6)
        works.tables.open.set()
        await works.drained()
    assert works.tables.writes == [span_ids(1), span_ids(2, 3, 4, 5, 6)]


async def test_after_many_rows_the_next_insert_waits_for_more(works: Works) -> None:
    await works.put(*range(1, MANY_ROWS + 1))
    async with works.running():
        await until(lambda: works.tables.writes)
        began = now()
        await works.put(5001)
        await works.put(5002)
        await until(lambda: len(works.tables.writes) > 1)
        assert GATHER_S - 0.05 < now() - began < GATHER_S + 0.05
    assert works.tables.writes[1] == span_ids(5001, 5002)


async def test_it_does_not_wait_for_more_than_one_insert_takes(works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "MAX_BATCH_BYTES", 1000)
    await works.put(*range(1, MANY_ROWS + 1))
    async with works.running():
        await until(lambda: works.tables.writes)
        began = now()
        await works.put(*range(5001, 5011))
        await until(lambda: len(works.tables.writes) > 1)
        assert now() - began < GATHER_S / 2


async def test_what_is_decoded_is_bounded_while_nothing_can_be_written(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "MAX_BATCH_BYTES", 1000)
    monkeypatch.setattr(runner, "MAX_GROUP_BYTES", 1)
    decoded = Decoded(monkeypatch)
    works.tables.open.clear()
    for number in range(1, 31):
        await works.put(number)
    async with works.running():
        await let_pass(60)
        assert len(decoded.groups) < 12
        works.tables.open.set()
        await works.drained()
    assert works.tables.ids == span_ids(*range(1, 31))


async def test_what_it_held_before_a_crash_is_taken_up_first(works: Works) -> None:
    await works.put(1)
    await works.put(2)
    await works.hand_out("worker-1")
    await works.put(3)
    async with works.running():
        await until(lambda: works.tables.writes)
        await works.drained()
    assert works.tables.writes == [span_ids(1, 2), span_ids(3)]


async def test_rows_written_before_a_crash_are_not_doubled(works: Works) -> None:
    await works.put(1)
    taken = await works.hand_out("worker-1")
    await works.sink.write(process(taken, works.lookups.pricing))
    before = dict(works.tables.rows)
    await works.work_off()
    assert works.tables.rows == before


async def test_many_that_were_held_are_all_taken_up(works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "MAX_ENTRIES", 3)
    for number in range(1, 9):
        await works.put(number)
    await works.hand_out("worker-1")
    began = now()
    await works.work_off()
    assert now() - began < CLAIM_EVERY_S
    assert works.tables.ids == span_ids(*range(1, 9))


async def test_what_a_lost_worker_holds_is_taken_over(works: Works) -> None:
    for number in (1, 2, 3):
        await works.put(number)
    await works.hand_out("lost")
    began = now()
    async with works.running():
        await let_pass(STALE_MS / 1000 - 1)
        assert len(works.stream.entries) == 3
        await works.drained()
    assert STALE_MS / 1000 <= now() - began < STALE_MS / 1000 + 2 * CLAIM_EVERY_S
    assert works.tables.ids == span_ids(1, 2, 3)


async def test_what_takes_long_is_not_taken_over_by_others(works: Works) -> None:
    works.tables.open.clear()
    id = await works.put(1)
    async with works.running():
        await let_pass(10 * STALE_MS / 1000)
        assert await works.stream.claim_stale("other", STALE_MS) == []
        held = works.stream.held[id]
        assert (held.consumer, held.attempts) == ("worker-1", 1)
        works.tables.open.set()
        await works.drained()


async def test_two_workers_share_the_queue(works: Works) -> None:
    for number in range(1, 21):
        await works.put(number)
    async with works.running("worker-1"), works.running("worker-2"):
        await works.drained()
    assert works.tables.ids == span_ids(*range(1, 21))
    assert set(works.heartbeats.stopped) == {"worker-1", "worker-2"}


async def test_an_entry_in_hand_is_not_taken_twice(works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = Decoded(monkeypatch)
    works.tables.open.clear()
    id = await works.put(1)
    async with works.running():
        await until(lambda: works.tables.writes)
        works.stream.fail("read", AWAY)
        await until(lambda: works.stream.calls.count("read_pending") > 1)
        works.tables.open.set()
        await works.drained()
    assert decoded.groups == [[id]]


async def test_one_that_was_handed_out_often_is_decoded_alone(works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = Decoded(monkeypatch)
    first, suspect, last = [await works.put(number) for number in (1, 2, 3)]
    await works.hand_out("worker-1")
    await works.stream.keep("worker-1", {suspect: SUSPECT_AFTER})
    await works.work_off()
    assert decoded.groups == [[first], [suspect], [last]]


async def test_signs_of_life(works: Works) -> None:
    works.heartbeats.failing = [AWAY]
    async with works.running():
        await until(lambda: len(works.heartbeats.states) == 3)
        first, second, third = works.heartbeats.times
        assert [second - first, third - second] == [pytest.approx(BEAT_EVERY_S)] * 2
        await works.put(1, 2)
        await works.drained()
        await until(lambda: len(works.heartbeats.states) == 4)
        assert (works.state["rows_written"], works.state["in_hand"], works.state["waits_for"]) == (2, 0, "")
    assert works.heartbeats.stopped == ["worker-1"]
