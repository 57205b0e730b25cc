"""A worker whose stores are away, or whose entries are broken: nothing is lost, and good entries do not wait."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from appliance.errors import Overloaded, StoreRefused, StoreUnavailable, Undecodable
from appliance.ingestion.process import Batch, process
from appliance.model.pricing import Pricing
from appliance.model.queue import Delivery
from appliance.worker import runner
from appliance.worker.outcomes import PATIENCE_S
from appliance.worker.runner import CLAIM_EVERY_S, MAX_CRASHES
from tests.fakes.payloads import event
from tests.fakes.sink import Row
from tests.unit.worker.working import AWAY, MAX_ATTEMPTS, Works, now, span_ids, until

BROKEN = b"{"


@pytest.fixture
async def works() -> Works:
    return Works()


def refuse(works: Works, number: int, error: Exception) -> None:
    """Let no row of this span be written."""

    def fault(row: Row) -> Exception | None:
        return error if row.id in span_ids(number) else None

    works.tables.fault = fault


@pytest.mark.parametrize("error", [AWAY, Overloaded("Redis is full.")])
async def test_a_store_that_is_away_is_waited_for(works: Works, error: Exception) -> None:
    works.tables.failing = [error] * 60
    id = await works.put(1)
    async with works.running():
        await until(lambda: works.heartbeats.states and works.state["waits_for"])
        assert works.state["waits_for"] == str(error)
        await works.drained()
        await until(lambda: not works.state["waits_for"])
    assert (works.stream.written, works.letters) == ({id: (1, 0)}, [])


async def test_it_takes_nothing_over_while_it_waits_itself(works: Works) -> None:
    works.tables.failing = [AWAY] * 60
    await works.put(1)
    async with works.running():
        await until(lambda: not works.tables.failing)
        assert now() > 1000 + 5 * CLAIM_EVERY_S
        assert "claim_stale" not in works.stream.calls
        await works.drained()


async def test_a_queue_that_is_away_is_asked_again(works: Works) -> None:
    for method in ("read_pending", "read"):
        works.stream.fail(method, *[StoreUnavailable("Redis is away.")] * 20)
    await works.put(1)
    async with works.running():
        await until(lambda: works.heartbeats.states and works.state["waits_for"] == "Redis is away.")
        await works.drained()
        await until(lambda: works.state["waits_for"] == "")


async def test_what_was_handed_out_with_a_lost_answer_is_taken_up(works: Works) -> None:
    async with works.running():
        await until(lambda: "read" in works.stream.calls)
        await works.put(1)
        await works.hand_out("worker-1")  # the answer never arrived
        works.stream.fail("read", StoreUnavailable("Connection lost."))
        began = now()
        await works.drained()
        assert now() - began < 2
    assert works.tables.ids == span_ids(1)


async def test_what_the_driver_lost_without_a_word_is_taken_up_in_time(works: Works) -> None:
    async with works.running():
        await until(lambda: "read" in works.stream.calls)
        await works.put(1)
        await works.hand_out("worker-1")
        began = now()
        await works.drained()
        assert now() - began < CLAIM_EVERY_S + 1
    assert works.tables.ids == span_ids(1)


async def test_without_models_nothing_is_read(works: Works) -> None:
    works.lookups.failing = [StoreUnavailable("Postgres is away.")] * 5
    await works.put(1)
    async with works.running():
        await until(lambda: len(works.lookups.failing) == 1)
        assert not works.stream.held
        await works.drained()


async def test_acknowledgements_are_repeated(works: Works) -> None:
    works.stream.fail("ack", AWAY, AWAY)
    id = await works.put(1)
    await works.work_off()
    assert works.stream.written == {id: (1, 0)}
    assert len(works.tables.writes) == 1


async def test_patches_that_cannot_be_kept_are_waited_for(works: Works) -> None:
    works.patches.failing = [StoreUnavailable("Redis is away.")] * 3
    await works.put_events(event("span-create", 1, id="s", traceId="t"))
    await works.work_off()
    assert works.tables.ids == ["s"]


async def test_one_that_cannot_be_decoded_becomes_a_dead_letter_alone(works: Works) -> None:
    await works.put(1)
    await works.put_body(BROKEN)
    await works.put(2)
    await works.work_off()
    assert works.tables.ids == span_ids(1, 2)
    ((letter,), written) = works.stream.letters, works.stream.written
    assert (letter.entry.body, letter.attempts, len(written)) == (BROKEN, 1, 2)


async def test_one_that_meets_a_mistake_of_ours_is_tried_a_few_times(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[float] = []

    def mistaken(deliveries: Sequence[Delivery], pricing: Pricing) -> Batch:
        if any(b"step 2" in delivery.entry.body for delivery in deliveries):
            if len(deliveries) == 1:
                tries.append(now())
            raise ValueError("a mistake of ours")
        return process(deliveries, pricing)

    monkeypatch.setattr(runner, "process", mistaken)
    for number in (1, 2, 3):
        await works.put(number)
    async with works.running():
        await until(lambda: len(works.stream.entries) == 1)
        assert works.tables.ids == span_ids(1, 3)
        await works.drained()
    assert works.letters == ["ValueError('a mistake of ours')"]
    assert len(tries) == MAX_ATTEMPTS
    assert min(tries[1] - tries[0], tries[2] - tries[1]) >= CLAIM_EVERY_S


async def test_rows_that_clickhouse_never_takes_become_a_dead_letter_alone(works: Works) -> None:
    refuse(works, 2, Undecodable("Cannot parse the row."))
    for number in (1, 2, 3):
        await works.put(number)
    await works.work_off()
    assert (works.tables.ids, works.letters) == (span_ids(1, 3), ["Cannot parse the row."])
    assert works.stream.letters[0].attempts == 1


async def test_rows_that_meet_a_mistake_of_ours_do_not_stop_others(works: Works) -> None:
    refuse(works, 2, ValueError("a mistake of ours"))
    for number in (1, 2, 3):
        await works.put(number)
    await works.work_off()
    assert (works.tables.ids, works.letters) == (span_ids(1, 3), ["ValueError('a mistake of ours')"])
    assert works.stream.letters[0].attempts == MAX_ATTEMPTS


async def test_who_is_perhaps_to_blame_is_tried_alone_for_a_while(works: Works) -> None:
    refuse(works, 2, StoreRefused("Nobody knows why."))
    for number in (1, 2, 3):
        await works.put(number)
    began = now()
    async with works.running():
        await until(lambda: works.tables.ids == span_ids(1, 3))
        assert PATIENCE_S <= now() - began < 1.3 * PATIENCE_S
        await works.drained()
    assert works.letters == ["Nobody knows why."]
    assert works.stream.letters[0].attempts == MAX_ATTEMPTS
    assert now() - began > MAX_ATTEMPTS * PATIENCE_S


async def test_a_refusal_that_passes_makes_no_dead_letter(works: Works) -> None:
    works.tables.failing = [StoreRefused("Nobody knows why.")] * 5
    for number in (1, 2):
        await works.put(number)
    await works.work_off()
    assert (works.tables.ids, works.letters) == (span_ids(1, 2), [])


@pytest.mark.parametrize(("attempts", "letters"), [(MAX_CRASHES - 1, 0), (MAX_CRASHES, 1)])
async def test_what_was_in_hand_at_every_crash_is_given_up_unseen(
    works: Works, monkeypatch: pytest.MonkeyPatch, attempts: int, letters: int
) -> None:
    decoded: list[str] = []

    def noting(deliveries: Sequence[Delivery], pricing: Pricing) -> Batch:
        decoded.extend(delivery.id for delivery in deliveries)
        return process(deliveries, pricing)

    monkeypatch.setattr(runner, "process", noting)
    good, deadly = await works.put(1), await works.put(2)
    await works.hand_out("worker-1")
    await works.stream.keep("worker-1", {deadly: attempts})
    await works.work_off()
    assert decoded == ([good] if letters else [good, deadly])
    assert works.letters == ["The worker ended again and again while it had this entry."] * letters


async def test_a_dead_letter_waits_for_redis(works: Works) -> None:
    works.stream.fail("dead_letter", *[Overloaded("Redis is full.")] * 3)
    await works.put_body(BROKEN)
    await works.work_off()
    assert len(works.letters) == 1


async def test_who_names_what_only_postgres_knows_waits_alone(works: Works) -> None:
    works.lookups.prompts["p", "greeting", 1] = "prompt-id"
    works.lookups.go_away()
    await works.put(1)
    await works.put_events(event("generation-create", 1, id="g", traceId="t", promptName="greeting", promptVersion=1))
    await works.put(2)
    async with works.running():
        await until(lambda: works.tables.ids == span_ids(1, 2))
        await until(lambda: works.state["waits_for"])
        assert str(works.state["waits_for"]).startswith("1 requests wait for Postgres")
        assert (works.state["in_hand"], len(works.stream.entries)) == (1, 1)
        works.lookups.come_back()
        await works.drained()
    rows = await works.tables.observations({("p", "g"): None})
    assert (rows["p", "g"].prompt_id, works.letters) == ("prompt-id", [])
