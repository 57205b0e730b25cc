"""Stores that are away, refuse, or lose their answers: nothing is lost, doubled, or waited for without end."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from appliance.errors import StoreUnavailable
from appliance.model.queue import Delivery
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.traces.aggregate import aggregate_round
from appliance.storage.redis.dead_letters import DeadLetters
from appliance.storage.redis.ingest_stream import GROUP, STREAM, IngestStream
from appliance.worker import outcomes
from tests.integration.ingestion.conftest import DEADLINE_S, Pipeline
from tests.integration.ingestion.test_worker import export


async def delivered(pipeline: Pipeline, times: int) -> None:
    """Wait until the only entry counts as handed out so often."""
    async with asyncio.timeout(DEADLINE_S):
        found: list[Any] = []
        while [entry["times_delivered"] for entry in found] != [times]:
            await asyncio.sleep(0.01)
            found = await pipeline.redis.xpending_range(STREAM, GROUP, "-", "+", 2)


async def test_orderly_restarts_while_a_store_is_away_are_no_failures_of_what_waits(pipeline: Pipeline) -> None:
    await pipeline.put("otlp-protobuf", export(1))
    await pipeline.stream.read_pending("worker-1", 1)  # makes the group
    away = dataclasses.replace(pipeline.settings.clickhouse, url="http://127.0.0.1:1")
    for _ in range(12):
        async with pipeline.worker(settings=dataclasses.replace(pipeline.settings, clickhouse=away)):
            await delivered(pipeline, 1)
        await delivered(pipeline, 0)

    await pipeline.work_off()
    assert (await pipeline.stream.backlog()).dead_letters == 0
    assert await pipeline.rows("SELECT count() AS n FROM observations") == [{"n": 1}]


async def test_a_refusal_that_nobody_knows_is_not_waited_for_without_end(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcomes, "PATIENCE_S", 0.3)
    await pipeline.clickhouse.command("ALTER TABLE observations ADD CONSTRAINT odd CHECK NOT endsWith(trace_id, '2')")
    for number in range(1, 4):
        await pipeline.put("otlp-protobuf", export(number))
    once = dataclasses.replace(pipeline.settings.ingestion, max_attempts=1)
    async with pipeline.worker(settings=dataclasses.replace(pipeline.settings, ingestion=once)):
        await pipeline.drained()

    letters = DeadLetters(pipeline.redis)
    [letter] = [letter async for letter in letters.all()]
    assert "VIOLATED_CONSTRAINT" in letter.error
    await pipeline.clickhouse.command("ALTER TABLE observations DROP CONSTRAINT odd")
    assert await letters.replay(letter.id)
    await pipeline.work_off()
    for table in ("observations", "observations_list", "trace_parts"):
        assert await pipeline.rows(f"SELECT count() AS n FROM {table} FINAL") == [{"n": 3}]


@pytest.mark.parametrize("table", ["observations", "observations_list", "touched_traces", "trace_parts"])
@pytest.mark.parametrize("is_stored", [False, True], ids=["refused", "answer lost"])
async def test_what_one_table_lacks_is_written_again_and_doubles_nothing(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, table: str, is_stored: bool
) -> None:
    insert, failures = ClickHouse.insert, [table]

    async def failing(self: ClickHouse, into: str, block: bytes, **chosen: Any) -> None:
        if into in failures:
            failures.remove(into)
            if is_stored:
                await insert(self, into, block, **chosen)
            raise StoreUnavailable("ClickHouse cannot be reached: ServerDisconnectedError.")
        await insert(self, into, block, **chosen)

    monkeypatch.setattr(ClickHouse, "insert", failing)
    await pipeline.put("otlp-protobuf", export(1))
    await pipeline.work_off()

    assert not failures
    for name in ("observations", "observations_list", "trace_parts"):
        assert await pipeline.rows(f"SELECT count() AS n FROM {name} FINAL") == [{"n": 1}]
    await aggregate_round(pipeline.clickhouse, quiet_s=0)
    assert await pipeline.rows("SELECT observation_count AS n FROM folded_traces FINAL") == [{"n": 1}]


async def test_a_slow_acknowledgement_holds_up_no_other_batch(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert, ack, second = ClickHouse.insert, IngestStream.ack, asyncio.Event()
    acknowledged: list[str] = []

    async def noting(self: ClickHouse, into: str, block: bytes, **chosen: Any) -> None:
        await insert(self, into, block, **chosen)
        if into == "trace_parts" and (2).to_bytes(16, "big").hex().encode() in block:
            assert not acknowledged, "acknowledged before all of it was written"
            second.set()

    async def slow(self: IngestStream, deliveries: Sequence[Delivery], refused: Mapping[str, int]) -> None:
        await second.wait()
        await ack(self, deliveries, refused)
        acknowledged.extend(delivery.id for delivery in deliveries)

    monkeypatch.setattr(ClickHouse, "insert", noting)
    monkeypatch.setattr(IngestStream, "ack", slow)
    async with pipeline.worker():
        first_id = await pipeline.put("otlp-protobuf", export(1))
        await pipeline.taken()
        second_id = await pipeline.put("otlp-protobuf", export(2))
        await pipeline.drained()
    assert acknowledged == [first_id, second_id]


async def test_what_is_in_hand_when_a_worker_breaks_counts_as_tried(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(self: IngestStream, *_: object) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(IngestStream, "ack", broken)
    await pipeline.put("otlp-protobuf", export(1))
    with pytest.raises(RuntimeError, match="a mistake of ours"):
        async with pipeline.worker():
            await pipeline.taken()
    await delivered(pipeline, 1)
