"""Large entries: in chunks, beside all others, and as whole in the end as small ones."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable, Sequence

import pytest

from appliance.errors import StoreRefused, StoreUnavailable, Undecodable
from appliance.ingestion.process import Batch, process
from appliance.model.observations import Observation
from appliance.model.pricing import Pricing
from appliance.model.queue import Delivery
from appliance.model.traces import TracePart
from appliance.worker import large, runner
from appliance.worker.outcomes import Outcomes
from tests.fakes.payloads import event, export, span
from tests.fakes.sink import Row, numeric_config
from tests.unit.worker.working import AWAY, MAX_ATTEMPTS, Works, now, span_ids, trace_ids, until

COUNT = 20
ALL = tuple(range(1, COUNT + 1))


@pytest.fixture
async def works(monkeypatch: pytest.MonkeyPatch) -> Works:
    """What is called large, and a chunk of it, are a few spans."""
    monkeypatch.setattr(runner, "LARGE_BYTES", 2000)
    monkeypatch.setattr(large, "CHUNK_BYTES", 1000)
    return Works()


async def put_large(works: Works, compress: Callable[[bytes], bytes] = bytes, encoding: str = "") -> str:
    """One trace of many spans, whose root comes last."""
    body = export(*(span(number, None if number == COUNT else COUNT) for number in ALL))
    return await works.put_body(compress(body), items=COUNT, encoding=encoding, plain_bytes=len(body))


def fault(number: int, error: Exception) -> Callable[[Row], Exception | None]:
    """Let no observation of this number be written."""
    return lambda row: error if isinstance(row, Observation) and row.id in span_ids(number) else None


def mistaken(monkeypatch: pytest.MonkeyPatch, number: int, error: Exception) -> list[float]:
    """Let no chunk with this span be decoded; returns when it was tried."""
    tries: list[float] = []

    def decode(deliveries: Sequence[Delivery], pricing: Pricing) -> Batch:
        if f'"step {number}"'.encode() in deliveries[0].entry.body:
            tries.append(now())
            raise error
        return process(deliveries, pricing)

    monkeypatch.setattr(large, "process", decode)
    return tries


@pytest.mark.parametrize(("compress", "encoding"), [(bytes, ""), (gzip.compress, "gzip")])
async def test_it_is_written_in_pieces(works: Works, compress: Callable[[bytes], bytes], encoding: str) -> None:
    id = await put_large(works, compress, encoding)
    await works.work_off()
    assert works.tables.ids == span_ids(*ALL)
    assert works.stream.written == {id: (COUNT, 0)}
    written = [ids for ids in works.tables.writes if ids]
    assert len(written) > 3 and sum(map(len, written)) == COUNT


async def test_its_trace_shows_when_all_observations_are_there(works: Works) -> None:
    missing: list[int] = []

    def look(row: Row) -> Exception | None:
        if isinstance(row, TracePart):
            missing.append(COUNT - len(works.tables.ids))
        return None

    works.tables.fault = look
    await put_large(works)
    await works.work_off()
    assert missing and set(missing) == {0}
    assert works.live.told and {trace for _, traces in works.live.told for trace in traces} == set(trace_ids(1))


async def test_events_are_split_too(works: Works) -> None:
    events = [event("span-create", number, id=f"s{number}", traceId="t", input="x" * 200) for number in ALL]
    await works.put_events(event("trace-create", 1, id="t", name="n"), *events)
    await works.work_off()
    assert works.tables.ids == sorted(f"s{number}" for number in ALL)
    assert works.tables.traces == {"t"}


async def test_small_entries_do_not_wait_for_it(works: Works) -> None:
    works.tables.fault = fault(COUNT, AWAY)
    await put_large(works)
    await works.put(50)
    async with works.running():
        await until(lambda: span_ids(50)[0] in works.tables.ids and len(works.stream.entries) == 1)
        works.tables.fault = lambda row: None
        await works.drained()
    assert works.tables.ids == span_ids(*ALL, 50)


async def test_while_it_waits_its_body_stays_in_redis(works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch, waiting = works.stream.fetch, list[bool]()

    async def noting(delivery: Delivery, consumer: str) -> Delivery | None:
        waiting.append(delivery.is_without_body)
        return await fetch(delivery, consumer)

    monkeypatch.setattr(works.stream, "fetch", noting)
    works.tables.open.clear()
    for _ in range(3):
        await put_large(works)
    async with works.running():
        await until(lambda: works.tables.writes)
        assert waiting == [True]
        works.tables.open.set()
        await works.drained()
    assert waiting == [True] * 3


async def test_one_that_somebody_else_finished_is_left_alone(works: Works) -> None:
    id = await put_large(works)
    works.stream.fail("fetch", *[StoreUnavailable("Redis is away.")] * 40)
    async with works.running():
        await until(lambda: works.heartbeats.states and works.state["in_hand"] == 1)
        await works.stream.ack([Delivery(id, works.stream.entries[id], 1)])
        await until(lambda: works.state["in_hand"] == 0)
    assert (works.tables.writes, works.stream.failing["fetch"]) == ([], [])


async def test_one_that_cannot_be_split_becomes_a_dead_letter(works: Works) -> None:
    body = b"{" + b" " * 3000
    await works.put_body(body)
    await works.work_off()
    (letter,) = works.stream.letters
    assert (letter.entry.body, letter.attempts) == (body, 1)


async def test_one_that_cannot_be_inflated_becomes_a_dead_letter(works: Works) -> None:
    await works.put_body(b"no gzip", encoding="gzip", plain_bytes=3000)
    await works.work_off()
    assert len(works.letters) == 1


@pytest.mark.parametrize(("compress", "encoding"), [(bytes, ""), (gzip.compress, "gzip")])
async def test_a_piece_that_cannot_be_read_is_set_aside_alone(
    works: Works, monkeypatch: pytest.MonkeyPatch, compress: Callable[[bytes], bytes], encoding: str
) -> None:
    mistaken(monkeypatch, 7, Undecodable("It cannot be read."))
    id = await put_large(works, compress, encoding)
    await works.work_off()
    (letter,) = works.stream.letters
    assert letter.entry.encoding == ""
    assert (letter.error, letter.attempts, b'"step 7"' in letter.entry.body) == ("It cannot be read.", 1, True)
    assert 0 < letter.entry.items < COUNT / 2
    assert works.stream.written == {id: (COUNT - letter.entry.items, 0)}
    assert len(works.tables.ids) == COUNT - letter.entry.items
    assert works.tables.traces == set(trace_ids(1))


async def test_a_piece_that_clickhouse_never_takes_is_set_aside_alone(works: Works) -> None:
    works.tables.fault = fault(7, Undecodable("Cannot parse the row."))
    await put_large(works)
    await works.work_off()
    assert works.letters == ["Cannot parse the row."]
    assert len(works.tables.ids) == COUNT - works.stream.letters[0].entry.items


async def test_a_mistake_of_ours_sets_a_piece_aside_at_the_last_attempt(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = mistaken(monkeypatch, 7, ValueError("a mistake of ours"))
    await put_large(works)
    await works.work_off()
    assert works.letters == ["ValueError('a mistake of ours')"]
    assert len(tries) == MAX_ATTEMPTS
    assert len(works.tables.ids) == COUNT - works.stream.letters[0].entry.items


async def test_one_piece_that_is_all_of_it_takes_the_entry_with_it(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    mistaken(monkeypatch, 1, Undecodable("It cannot be read."))
    body = export(span(1, attributes={"input": "x" * 3000}))
    await works.put_body(body)
    await works.work_off()
    (letter,) = works.stream.letters
    assert (letter.entry.body, works.stream.calls.count("dead_letter_part")) == (body, 0)


async def test_a_refusal_that_nobody_knows_is_tried_for_a_while(works: Works) -> None:
    works.tables.fault = fault(7, StoreRefused("Nobody knows why."))
    await put_large(works)
    await works.work_off()
    assert works.letters == ["Nobody knows why."]
    assert works.stream.letters[0].attempts == MAX_ATTEMPTS
    assert len(works.tables.ids) == COUNT - works.stream.letters[0].entry.items


async def test_one_that_names_what_only_postgres_knows_waits_for_it(works: Works) -> None:
    works.lookups.prompts["p", "greeting", 1] = "prompt-id"
    works.lookups.go_away()
    named = {"promptName": "greeting", "promptVersion": 1, "traceId": "t", "input": "x" * 300}
    await works.put_events(*(event("generation-create", number, id=f"g{number}", **named) for number in ALL))
    async with works.running():
        await until(lambda: works.heartbeats.states and works.state["waits_for"])
        assert len(works.stream.entries) == 1
        works.lookups.come_back()
        await works.drained()
    rows = await works.tables.observations({("p", f"g{number}"): None for number in ALL})
    assert {row.prompt_id for row in rows.values()} == {"prompt-id"} and len(rows) == COUNT


async def test_refused_scores_of_all_pieces_are_counted(works: Works) -> None:
    works.lookups.configs["p", "c"] = numeric_config("c", 10)
    scores = [
        event("score-create", value, id=f"s{value}", traceId="t", name="n", value=value, configId="c") for value in ALL
    ]
    id = await works.put_events(*scores)
    await works.work_off()
    assert works.stream.written == {id: (10, 10)}


async def test_told_to_stop_it_is_left_to_the_next_worker(works: Works) -> None:
    works.tables.fault = fault(COUNT, AWAY)
    await put_large(works)
    async with works.running():
        await until(lambda: len(works.tables.ids) > 10)
    assert len(works.stream.entries) == 1
    (held,) = works.stream.held.values()
    assert held.attempts == 0
    works.tables.fault = lambda row: None
    await works.work_off()
    assert works.tables.ids == span_ids(*ALL)


async def test_told_to_stop_it_begins_no_other_piece(works: Works) -> None:
    outcomes = Outcomes(works.stream, works.live, MAX_ATTEMPTS, works.stopping)
    entries = large.LargeEntries("me", works.stream, works.sink, works.lookups, outcomes, works.stopping, fail_to_park)
    await put_large(works)
    (taken,) = await works.stream.read("me", 1, 0)
    works.tables.open.clear()
    entries.put(taken)
    working = asyncio.create_task(entries.work())
    await until(lambda: works.tables.writes)
    works.stopping.set()
    works.tables.open.set()
    await working
    assert len(works.tables.writes) == 1 and works.stream.entries


def fail_to_park(delivery: Delivery) -> None:
    raise AssertionError(f"{delivery.id} is parked")


async def test_its_rows_count_in_signs_of_life(works: Works) -> None:
    await put_large(works)
    async with works.running():
        await works.drained()
        await until(lambda: works.state["rows_written"] == COUNT)


async def test_a_body_that_was_not_handed_out_is_fetched(works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "LARGE_BYTES", 10**9)
    id = await works.put(1, 2)
    (taken,) = await works.stream.read("worker-1", 1, 0)

    async def read_pending(*_: object) -> list[Delivery]:
        await asyncio.sleep(0)
        return [taken.without_body()] if id in works.stream.entries and "fetch" not in works.stream.calls else []

    monkeypatch.setattr(works.stream, "read_pending", read_pending)
    await works.work_off()
    assert works.tables.ids == span_ids(1, 2)
