"""From the queue to the tables, with everything that can go wrong between them."""

from __future__ import annotations

import dataclasses
import gzip

import msgspec
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from appliance.model.queue import Entry
from appliance.model.receipts import Count
from appliance.storage.clickhouse.migrations import migrate
from appliance.storage.redis.dead_letters import DeadLetters
from appliance.storage.redis.entry_fields import fields_of
from appliance.storage.redis.ingest_stream import STREAM
from appliance.storage.redis.live import Live
from appliance.storage.redis.receipts import read_receipts
from tests.integration.ingestion.conftest import Pipeline

START_S = 1_763_000_000


def export(trace: int, *, start_s: int = START_S, attributes: dict[str, str] | None = None) -> bytes:
    span = Span(
        trace_id=trace.to_bytes(16, "big"),
        span_id=trace.to_bytes(8, "big"),
        name="step",
        start_time_unix_nano=start_s * 10**9 + 123_456_789,
        end_time_unix_nano=(start_s + 1) * 10**9,
        attributes=[KeyValue(key=key, value=AnyValue(string_value=value)) for key, value in (attributes or {}).items()],
    )
    return ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=[span])])]
    ).SerializeToString()


def event(type: str, second: int, **body: object) -> dict[str, object]:
    return {"id": f"{type}{second}", "type": type, "timestamp": f"2025-11-13T02:13:{second:02}Z", "body": body}


async def test_spans_become_rows(pipeline: Pipeline) -> None:
    for number in range(1, 4):
        await pipeline.put(
            "otlp-protobuf", gzip.compress(export(number, attributes={"user.id": "ada"})), encoding="gzip"
        )

    await pipeline.work_off()

    rows = await pipeline.rows("SELECT type, level, user_id, toString(start_time) AS start, source FROM observations")
    assert (
        rows
        == [
            {
                "type": "SPAN",
                "level": "DEFAULT",
                "user_id": "ada",
                "start": "2025-11-13 02:13:20.123456",
                "source": "otel",
            }
        ]
        * 3
    )
    assert await pipeline.rows("SELECT count() AS n, uniqExact(id) AS ids FROM trace_parts") == [{"n": 3, "ids": 3}]
    assert await pipeline.rows("SELECT count() AS n FROM observations_list") == [{"n": 3}]


async def test_what_cannot_be_read_stands_aside(pipeline: Pipeline) -> None:
    await pipeline.put("otlp-protobuf", export(1))
    await pipeline.put("otlp-protobuf", b"\xff\xff")
    await pipeline.put("otlp-json", b"{")
    await pipeline.put("otlp-protobuf", b"no gzip", encoding="gzip")
    await pipeline.put("otlp-protobuf", export(2))

    await pipeline.work_off()

    assert await pipeline.rows("SELECT count() AS n FROM observations") == [{"n": 2}]
    assert (await pipeline.stream.backlog()).dead_letters == 3


async def test_what_somebody_else_put_into_the_queue_ends_no_worker(pipeline: Pipeline) -> None:
    await pipeline.redis.xadd(STREAM, {"who": b"\xff\x00 knows"})
    await pipeline.redis.xadd(STREAM, {"k": "events", "p": "p", "t": "yesterday", "n": "5", "b": "[]"})
    await pipeline.put("otlp-protobuf", export(1), items=1)

    await pipeline.work_off()

    assert await pipeline.rows("SELECT count() AS n FROM observations") == [{"n": 1}]
    letters = DeadLetters(pipeline.redis)
    ids = [letter.id async for letter in letters.all()]
    assert len(ids) == 2
    shown = await letters.get(ids[0])
    assert shown is not None and b"knows" in shown.entry.body
    assert "" not in await read_receipts(pipeline.redis)
    assert [await letters.drop(id) for id in ids] == [True, True]
    receipts = (await read_receipts(pipeline.redis))["p"]
    assert (receipts.accepted, receipts.written) == (Count(requests=1, items=1), Count(requests=1, items=1))
    assert (receipts.waiting, receipts.dead, receipts.dropped) == (Count(), Count(), Count())


async def test_an_entry_of_unknown_kind_can_be_replayed_and_counts_nowhere(pipeline: Pipeline) -> None:
    fields = fields_of(Entry(kind="events", project_id="p", body=b"[]", accepted_at=1, items=3))
    await pipeline.redis.xadd(STREAM, fields | {b"k": "of another version"})
    letters = DeadLetters(pipeline.redis)
    for _ in range(2):
        await pipeline.work_off()
        [letter] = [letter async for letter in letters.all()]
        assert await read_receipts(pipeline.redis) == {}
        assert await letters.replay(letter.id)


async def test_a_crash_loses_nothing_and_doubles_nothing(pipeline: Pipeline) -> None:
    for number in range(1, 6):
        await pipeline.put("otlp-protobuf", export(number))
    # A worker that wrote its rows, but ended before it could acknowledge them.
    taken = await pipeline.stream.read("worker-1", 3, 100)
    assert len(taken) == 3
    for delivery in taken:
        await pipeline.put("otlp-protobuf", delivery.entry.body)

    await pipeline.work_off()

    assert await pipeline.rows("SELECT count() AS n FROM observations FINAL") == [{"n": 5}]
    assert await pipeline.rows("SELECT count() AS n FROM trace_parts FINAL") == [{"n": 5}]


async def test_a_store_that_is_away_is_waited_for(pipeline: Pipeline) -> None:
    await pipeline.put("otlp-protobuf", export(1))
    settings = pipeline.settings
    missing = dataclasses.replace(settings.clickhouse, database=f"{settings.clickhouse.database}_later")
    async with pipeline.worker(settings=dataclasses.replace(settings, clickhouse=missing)):
        await pipeline.taken()
        assert (await pipeline.stream.backlog()).backlog == 1
        await migrate(missing)
        await pipeline.drained()

    status = await pipeline.stream.backlog()
    assert (status.backlog, status.dead_letters) == (0, 0)
    await pipeline.clickhouse.command("DROP DATABASE {name:Identifier}", {"name": missing.database})


async def test_a_worker_that_must_stop_leaves_what_it_cannot_write(pipeline: Pipeline) -> None:
    await pipeline.put("otlp-protobuf", export(1))
    away = dataclasses.replace(pipeline.settings.clickhouse, url="http://127.0.0.1:1")
    async with pipeline.worker(settings=dataclasses.replace(pipeline.settings, clickhouse=away)):
        await pipeline.taken()

    assert (await pipeline.stream.backlog()).backlog == 1
    await pipeline.work_off()
    assert await pipeline.rows("SELECT count() AS n FROM observations") == [{"n": 1}]


async def test_spans_of_many_months_in_one_request(pipeline: Pipeline) -> None:
    month = 31 * 86_400
    request = ExportTraceServiceRequest()
    for number in range(1, 151):
        request.MergeFromString(export(number, start_s=START_S - number * month))
    await pipeline.put("otlp-protobuf", request.SerializeToString())

    await pipeline.work_off()

    assert await pipeline.rows("SELECT count() AS n FROM observations") == [{"n": 150}]


async def test_updates_before_their_creation_and_in_other_requests(pipeline: Pipeline) -> None:
    update = event("generation-update", 50, id="g", traceId="t", output="done", usage={"input": 1, "output": 2})
    create = event(
        "generation-create", 20, id="g", traceId="t", name="llm", startTime="2025-11-13T02:10:00Z", input="q"
    )
    async with pipeline.worker():
        for entry in (update, create, event("span-update", 55, id="g", level="ERROR")):
            await pipeline.put_events(entry)
            await pipeline.drained()

    rows = await pipeline.rows(
        "SELECT type, name, input, output, level, toString(start_time) AS start, usage_details FROM observations FINAL"
    )
    assert rows == [
        {
            "type": "GENERATION",
            "name": "llm",
            "input": "q",
            "output": "done",
            "level": "ERROR",
            "start": "2025-11-13 02:10:00.000000",
            "usage_details": {"input": 1, "output": 2, "total": 3},
        }
    ]
    assert await pipeline.rows("SELECT count() AS n FROM observations_list FINAL") == [{"n": 1}]


async def test_an_update_long_after_finds_what_is_stored(pipeline: Pipeline) -> None:
    await pipeline.put_events(event("span-create", 1, id="s", traceId="t", name="n", input="q", metadata={"a": 1}))
    await pipeline.work_off()
    await pipeline.redis.flushdb()  # the patches are forgotten after half an hour
    await pipeline.put_events(event("span-update", 30, id="s", output="o", metadata={"b": 2}))
    await pipeline.work_off()

    rows = await pipeline.rows("SELECT name, input, output, metadata, trace_id FROM observations FINAL")
    assert rows == [{"name": "n", "input": "q", "output": "o", "metadata": {"a": "1", "b": "2"}, "trace_id": "t"}]


async def test_scores_are_stored_and_updated_by_id(pipeline: Pipeline) -> None:
    first = event("score-create", 1, id="s", traceId="t", name="quality", value=0.5, comment="c")
    await pipeline.put_events(first)
    await pipeline.work_off()
    await pipeline.put_events(event("score-create", 2, id="s", traceId="t", name="quality", value=0.25))
    await pipeline.work_off()

    rows = await pipeline.rows("SELECT name, value, comment, data_type, environment FROM scores FINAL")
    assert rows == [
        {"name": "quality", "value": 0.25, "comment": "c", "data_type": "NUMERIC", "environment": "default"}
    ]


async def test_who_watches_is_told(pipeline: Pipeline) -> None:
    messages = Live(pipeline.redis).messages("p", silence_s=1)
    assert await anext(messages) is not None
    await pipeline.put("otlp-protobuf", export(7))
    await pipeline.work_off()

    told = await anext(messages)
    await messages.aclose()

    assert told is not None and msgspec.json.decode(told.trace_ids) == [(7).to_bytes(16, "big").hex()]


async def test_migrating_again_changes_nothing(pipeline: Pipeline) -> None:
    assert await migrate(pipeline.settings.clickhouse) == []
