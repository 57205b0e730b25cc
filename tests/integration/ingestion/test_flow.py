"""Large entries, several workers, full memory, stops in the middle: nothing is lost, nothing is written twice."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import msgspec
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from appliance.errors import Overloaded, Undecodable
from appliance.ingestion.process import Batch, process
from appliance.model.pricing import Pricing
from appliance.model.queue import Delivery
from appliance.storage.clickhouse import client
from appliance.storage.redis.dead_letters import DeadLetters
from appliance.storage.redis.keys import key
from appliance.storage.redis.receipts import read_receipts
from appliance.worker import large, outcomes, runner
from appliance.worker.outcomes import Outcomes
from tests.integration.ingestion.conftest import Pipeline
from tests.integration.ingestion.test_worker import START_S, event

DEADLINE_S = 60


@pytest.fixture
def soon_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is called large, and a piece of it, are small enough for quick tests."""
    monkeypatch.setattr(runner, "LARGE_BYTES", 200_000)
    monkeypatch.setattr(large, "CHUNK_BYTES", 100_000)


def many_spans(count: int, text_bytes: int, *, first: int = 1) -> bytes:
    """One trace of `count` spans whose root comes last, each with so much text."""
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for number in range(first, first + count):
        scope.spans.add(
            trace_id=first.to_bytes(16, "big"),
            span_id=number.to_bytes(8, "big"),
            parent_span_id=b"" if number == first + count - 1 else (first + count - 1).to_bytes(8, "big"),
            name=f"step-{number}",
            start_time_unix_nano=START_S * 10**9,
            end_time_unix_nano=(START_S + 1) * 10**9,
            attributes=[KeyValue(key="input.value", value=AnyValue(string_value="x" * text_bytes))],
        )
    return request.SerializeToString()


async def counts(pipeline: Pipeline) -> tuple[int, int, int]:
    """Observations, different ids of observations, traces."""
    (rows,) = await pipeline.rows("SELECT count() AS n, uniqExact(id) AS ids FROM observations FINAL")
    (traces,) = await pipeline.rows("SELECT uniqExact(id) AS n FROM trace_parts")
    return rows["n"], rows["ids"], traces["n"]


async def only_one_waits(pipeline: Pipeline) -> bool:
    return (await pipeline.stream.backlog()).backlog == 1


async def until(condition: Callable[[], Awaitable[Any]]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not await condition():
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("soon_large")
async def test_a_large_request_is_written_in_pieces_and_its_trace_shows_last(pipeline: Pipeline) -> None:
    body = many_spans(1_000, 1_000)
    await pipeline.put("otlp-protobuf", body, items=1_000, plain_bytes=len(body))
    async with pipeline.worker():
        seen: list[tuple[int, int, int]] = []

        async def watch() -> bool:
            seen.append(await counts(pipeline))
            return (await pipeline.stream.backlog()).backlog == 0

        await until(watch)

    assert await counts(pipeline) == (1_000, 1_000, 1)
    assert all(observations == 1_000 for observations, _, traces in seen if traces)
    (receipts,) = (await read_receipts(pipeline.redis)).values()
    assert (receipts.written.requests, receipts.written.items, receipts.waiting.requests) == (1, 1_000, 0)


@pytest.mark.usefixtures("soon_large")
@pytest.mark.parametrize("fault", [Undecodable("ClickHouse refused the rows."), ValueError("a mistake of ours")])
async def test_a_bad_piece_of_a_large_request_is_set_aside_alone(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    monkeypatch.setattr(Outcomes, "is_last_attempt", lambda *_: True)
    body = many_spans(1_000, 1_000)

    def refuse(deliveries: Sequence[Delivery], pricing: Pricing) -> Batch:
        if b"step-500" in deliveries[0].entry.body:
            raise fault
        return process(deliveries, pricing)

    with monkeypatch.context() as broken:
        broken.setattr(large, "process", refuse)
        await pipeline.put("otlp-protobuf", body, items=1_000, plain_bytes=len(body))
        async with pipeline.worker():
            await pipeline.drained()
            await until(lambda: _has_written(pipeline, key("worker", "worker-1")))

    written, _, traces = await counts(pipeline)
    letters = DeadLetters(pipeline.redis)
    [letter] = [letter async for letter in letters.all()]
    aside = letter.entry.items
    assert (written + aside, traces) == (1_000, 1) and 0 < aside < 200
    receipts = (await read_receipts(pipeline.redis))["p"]
    assert (receipts.written.items, receipts.dead.items, receipts.waiting.items) == (written, aside, 0)
    assert (receipts.accepted.requests, receipts.written.requests, receipts.dead.requests) == (2, 1, 1)

    assert await letters.replay(letter.id)
    await pipeline.work_off()
    assert await counts(pipeline) == (1_000, 1_000, 1)
    receipts = (await read_receipts(pipeline.redis))["p"]
    assert (receipts.written.items, receipts.dead.items, receipts.waiting.requests) == (1_000, 0, 0)


async def _has_written(pipeline: Pipeline, beat: str) -> bool:
    told = await pipeline.redis.get(beat)
    return told is not None and msgspec.json.decode(told)["rows_written"] > 0


@pytest.mark.usefixtures("soon_large")
async def test_large_json_and_large_batches_of_events(pipeline: Pipeline) -> None:
    text = "y" * 2_000
    spans = [
        {"traceId": f"{1:032x}", "spanId": f"{number:016x}", "name": "s", "startTimeUnixNano": f"{START_S}000000000"}
        | {"attributes": [{"key": "input.value", "value": {"stringValue": text}}]}
        for number in range(1, 301)
    ]
    await pipeline.put("otlp-json", msgspec.json.encode({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}))
    await pipeline.put_events(
        event("trace-create", 1, id="t", name="n"),
        *(
            event("span-create", 2, id=f"s{number}", traceId="t", input=text) | {"id": f"{number}"}
            for number in range(300)
        ),
    )
    await pipeline.work_off()
    assert await counts(pipeline) == (600, 600, 2)


@pytest.mark.usefixtures("soon_large")
async def test_small_entries_do_not_wait_for_a_large_one(pipeline: Pipeline) -> None:
    body = many_spans(2_000, 1_500)
    await pipeline.put("otlp-protobuf", body, plain_bytes=len(body))
    await pipeline.put("otlp-protobuf", many_spans(1, 10, first=900_000))
    async with pipeline.worker():
        await until(lambda: only_one_waits(pipeline))
        (trace,) = await pipeline.rows("SELECT DISTINCT id FROM trace_parts")
        assert trace["id"] == f"{900_000:032x}"
    assert (await pipeline.stream.backlog()).backlog == 1  # told to stop, it left the large one
    await pipeline.work_off()
    assert await counts(pipeline) == (2_001, 2_001, 2)


@contextlib.asynccontextmanager
async def several_workers(pipeline: Pipeline, count: int) -> AsyncIterator[None]:
    async with contextlib.AsyncExitStack() as stack:
        for number in range(1, count + 1):
            await stack.enter_async_context(pipeline.worker(f"worker-{number}"))
        yield


async def test_updates_converge_whatever_worker_gets_them_in_whatever_order(pipeline: Pipeline) -> None:
    chance = random.Random(7)
    events: list[dict[str, Any]] = []
    for number in range(40):
        id = f"g{number}"
        body = {"id": id, "traceId": "t", "name": "llm", "startTime": f"2025-11-13T02:{number:02}:00Z", "input": "q"}
        events.append(event("generation-create", 1, **body) | {"id": f"{id}-create"})
        for second in range(2, 8):
            update = event("generation-update", second, id=id, output=f"out-{second}", metadata={f"k{second}": second})
            events.append(update | {"id": f"{id}-{second}"})
    events += chance.sample(events, 60)  # some are sent twice
    chance.shuffle(events)

    async with several_workers(pipeline, 3):
        for start in range(0, len(events), 5):
            await pipeline.put_events(*events[start : start + 5])
        await pipeline.drained()

    rows = await pipeline.rows(
        "SELECT id, name, input, output, metadata, toMinute(start_time) AS minute FROM observations FINAL ORDER BY id"
    )
    metadata = {f"k{second}": str(second) for second in range(2, 8)}
    wanted = [
        {"id": f"g{number}", "name": "llm", "input": "q", "output": "out-7", "metadata": metadata, "minute": number}
        for number in range(40)
    ]
    assert rows == sorted(wanted, key=lambda row: str(row["id"]))


async def test_what_a_lost_worker_held_is_taken_over(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "STALE_MS", 0)
    monkeypatch.setattr(runner, "CLAIM_EVERY_S", 0.0)
    for number in range(1, 6):
        await pipeline.put("otlp-protobuf", many_spans(1, 10, first=number), items=1)
    assert len(await pipeline.stream.read("lost", 5, 100)) == 5
    async with pipeline.worker("worker-2"):
        await pipeline.drained()
    assert await counts(pipeline) == (5, 5, 5)
    (receipts,) = (await read_receipts(pipeline.redis)).values()
    assert (receipts.written.requests, receipts.waiting.requests) == (5, 0)


async def test_an_entry_that_two_workers_finish_counts_once(pipeline: Pipeline) -> None:
    await pipeline.put("otlp-protobuf", many_spans(1, 10), items=1)
    taken = await pipeline.stream.read("one", 1, 100)
    claimed = await pipeline.stream.claim_stale("two", 0)
    for deliveries in (taken, claimed):
        await pipeline.stream.ack(deliveries)
        await pipeline.stream.dead_letter(deliveries[0], "too late")
    (receipts,) = (await read_receipts(pipeline.redis)).values()
    assert (receipts.written.requests, receipts.dead.requests, receipts.waiting.requests) == (1, 0, 0)


async def test_a_full_redis_refuses_more_but_is_worked_off(pipeline: Pipeline) -> None:
    limit = str((await pipeline.redis.config_get("maxmemory"))["maxmemory"])
    creation = event("span-create", 1, id="s", traceId="t", name="n", input="q" * 1000)
    await pipeline.put_events(creation)
    await pipeline.put("otlp-protobuf", b"\xff\xff", items=1)
    await pipeline.put("otlp-protobuf", many_spans(1, 10), items=1)
    try:
        await pipeline.redis.config_set("maxmemory", 1_000_000)
        pipeline.open_stream()  # which looks at once
        with pytest.raises(Overloaded, match="out of memory"):
            await pipeline.put("otlp-protobuf", many_spans(1, 10))
        await pipeline.work_off()  # also patches, a dead letter and signs of life need memory
    finally:
        await pipeline.redis.config_set("maxmemory", limit)
    assert await counts(pipeline) == (2, 2, 2)
    assert (await pipeline.stream.backlog()).dead_letters == 1
    pipeline.open_stream()
    await pipeline.put("otlp-protobuf", many_spans(1, 10))


async def test_a_clickhouse_that_refuses_for_now_is_waited_for(pipeline: Pipeline) -> None:
    refusing = "ALTER TABLE observations MODIFY SETTING parts_to_throw_insert = 1, parts_to_delay_insert = 1"
    await pipeline.put("otlp-protobuf", many_spans(1, 10))
    await pipeline.work_off()
    await pipeline.clickhouse.command(refusing)
    await pipeline.put("otlp-protobuf", many_spans(1, 10, first=50))
    async with pipeline.worker():
        await until(lambda: is_waiting(pipeline))
        await pipeline.clickhouse.command(
            "ALTER TABLE observations RESET SETTING parts_to_throw_insert, parts_to_delay_insert"
        )
        await pipeline.drained()
    assert await counts(pipeline) == (2, 2, 2)
    assert (await pipeline.stream.backlog()).dead_letters == 0


@pytest.mark.parametrize(("compress", "encoding"), [(bytes, ""), (gzip.compress, "gzip")], ids=["large", "small"])
async def test_what_clickhouse_has_no_memory_for_is_written_in_smaller_blocks_or_given_up(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, compress: Callable[[bytes], bytes], encoding: str
) -> None:
    monkeypatch.setitem(client._INSERT_SETTINGS, "max_memory_usage", 24_000_000)
    monkeypatch.setattr(outcomes, "PATIENCE_S", 0.0)
    monkeypatch.setattr(runner, "CLAIM_EVERY_S", 0.0)
    await pipeline.put("otlp-protobuf", many_spans(30, 100_000), items=30)
    await pipeline.put("otlp-protobuf", compress(many_spans(1, 16_000_000, first=500)), items=1, encoding=encoding)
    await pipeline.put("otlp-protobuf", many_spans(1, 10, first=600), items=1)
    await pipeline.work_off()
    assert await counts(pipeline) == (31, 31, 2)
    (letter,) = [letter async for letter in DeadLetters(pipeline.redis).all()]
    assert (letter.entry.items, letter.attempts) == (1, pipeline.settings.ingestion.max_attempts)
    assert "memory" in letter.error
    (receipts,) = (await read_receipts(pipeline.redis)).values()
    assert (receipts.written.items, receipts.dead.items, receipts.waiting.items) == (31, 1, 0)


async def is_waiting(pipeline: Pipeline) -> bool:
    beat = await pipeline.redis.get(key("worker", "worker-1"))
    return beat is not None and "parts" in msgspec.json.decode(beat)["waits_for"]


async def test_a_replayed_letter_that_fails_again_is_a_dead_letter_again(pipeline: Pipeline) -> None:
    await pipeline.put("otlp-protobuf", b"\xff\xff", items=1)
    await pipeline.work_off()
    letters = DeadLetters(pipeline.redis)
    (first,) = [letter async for letter in letters.all()]
    assert await letters.replay(first.id)
    await pipeline.work_off()
    (second,) = [letter async for letter in letters.all()]
    assert (second.id != first.id, second.entry.accepted_at) == (True, first.entry.accepted_at)
    (receipts,) = (await read_receipts(pipeline.redis)).values()
    assert (receipts.accepted.requests, receipts.dead.requests, receipts.waiting.requests) == (1, 1, 0)


async def test_redis_keeps_no_more_of_an_entity_the_more_often_it_is_updated(pipeline: Pipeline) -> None:
    kinds: dict[str, tuple[str, dict[str, Any]]] = {
        "observation": ("span-update", {"id": "x", "traceId": "t", "metadata": {"same": 1}}),
        "score": ("score-create", {"id": "s", "traceId": "t", "name": "n", "value": 1}),
    }
    lengths: dict[str, list[int]] = {kind: [] for kind in kinds}
    async with pipeline.worker("worker-1"), pipeline.worker("worker-2"):
        for start in range(0, 1200, 100):
            for kind, (type, body) in kinds.items():
                told = {"comment" if kind == "score" else "output": "c"}
                await pipeline.put_events(
                    *(
                        {
                            "id": f"{kind}{number}",
                            "type": type,
                            "timestamp": f"2025-11-13T02:{number // 60:02}:{number % 60:02}Z",
                        }
                        | {"body": body | {name: f"{text}{number}" for name, text in told.items()}}
                        for number in range(start, start + 100)
                    )
                )
            await pipeline.drained()
            for kind, (_, body) in kinds.items():
                lengths[kind].append(await pipeline.redis.hlen(key("patches", "p", kind, str(body["id"]))))
    assert {kind: max(found) < 100 for kind, found in lengths.items()} == dict.fromkeys(kinds, True), lengths
    (row,) = await pipeline.rows("SELECT output, metadata FROM observations FINAL WHERE id = 'x' AND is_deleted = 0")
    assert row == {"output": "c1199", "metadata": {"same": "1"}}
    (score,) = await pipeline.rows("SELECT comment FROM scores FINAL WHERE id = 's'")
    assert score == {"comment": "c1199"}


async def test_a_thousand_updates_of_one_entity(pipeline: Pipeline) -> None:
    creation = event("span-create", 0, id="s", traceId="t", name="n", startTime="2025-11-13T02:13:00Z")
    updates = [
        {"id": f"u{number}", "type": "span-update", "timestamp": f"2025-11-13T02:14:00.{number:03}Z"}
        | {"body": {"id": "s", "output": f"out-{number}", "metadata": {f"k{number}": number}}}
        for number in range(1000)
    ]
    random.Random(3).shuffle(updates)
    for start in range(0, 1000, 100):
        await pipeline.put_events(*updates[start : start + 100])
    await pipeline.put_events(creation)
    await pipeline.work_off()
    (row,) = await pipeline.rows("SELECT name, output, length(metadata) AS keys FROM observations FINAL")
    assert row == {"name": "n", "output": "out-999", "keys": 1000}


async def test_older_and_later_events_count_by_their_own_time_not_by_arrival(pipeline: Pipeline) -> None:
    evening, midnight, later = "2025-11-13T23:59:59Z", "2025-11-14T00:00:00Z", "2025-11-14T00:00:05Z"
    arrivals: list[tuple[str, str, str, dict[str, Any]]] = [
        ("3", "span-update", later, {"output": "new"}),
        ("2", "span-update", midnight, {"output": "old", "level": "ERROR"}),
        ("1", "span-create", evening, {"name": "n", "startTime": "2025-11-13T23:59:58Z", "output": "first"}),
        # Of the same time as the first update: the creation counts first.
        ("0", "span-create", midnight, {"level": "DEBUG"}),
    ]
    async with pipeline.worker():
        for id, type, time, body in arrivals:
            trace = {"traceId": "t"} if type == "span-create" else {}
            await pipeline.put_events({"id": id, "type": type, "timestamp": time, "body": {"id": "s", **trace, **body}})
            await pipeline.drained()
    rows = await pipeline.rows(
        "SELECT trace_id, name, output, level, toString(start_time) AS start FROM observations FINAL"
    )
    assert rows == [
        {"trace_id": "t", "name": "n", "output": "new", "level": "ERROR", "start": "2025-11-13 23:59:58.000000"}
    ]


async def test_a_published_trace_stays_published(pipeline: Pipeline) -> None:
    told: list[dict[str, Any]] = [{"public": True}, {"name": "later"}, {"public": None}]
    for second, body in enumerate(told):
        await pipeline.put_events(event("trace-create", second, id="t", **body))
    await pipeline.work_off()
    parts = await pipeline.rows("SELECT public FROM trace_parts FINAL ORDER BY order_ts")
    assert [part["public"] for part in parts] == [True, None, None]
