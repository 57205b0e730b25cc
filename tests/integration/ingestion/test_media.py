"""Files inside payloads: kept before the rows that refer to them can be read, once, whatever happens."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import gzip
import json
import os
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from appliance.config import MediaSettings, Settings
from appliance.model.media import Content, Media, blob_key, reference
from appliance.storage.blobs.choice import blob_store
from appliance.storage.postgres.media import MediaRecords
from appliance.storage.postgres.pool import Postgres
from appliance.storage.redis.keys import key
from appliance.storage.redis.lease import Lease
from appliance.worker.jobs.forget_media import forget_all
from tests.integration.ingestion.conftest import DEADLINE_S, Pipeline
from tests.integration.ingestion.test_worker import event, export
from tests.integration.s3_server import S3Server, s3_server

INPUT, OUTPUT = "langfuse.observation.input", "langfuse.observation.output"


class Picture:
    """A file nobody has seen before."""

    def __init__(self) -> None:
        self.data = os.urandom(3000)
        self.id = Content.of("image/png", self.data).id
        self.uri = f"data:image/png;base64,{base64.b64encode(self.data).decode()}"
        self.reference = reference("image/png", self.id, "base64_data_uri")


@pytest.fixture
def picture() -> Picture:
    return Picture()


async def stored(settings: Settings, picture: Picture) -> bytes:
    parts = blob_store(settings).read(blob_key("p", picture.id, "image/png"), 0, len(picture.data))
    return b"".join([part async for part in parts])


async def uses(postgres: Postgres, picture: Picture) -> list[tuple[str, str, str]]:
    sql = "SELECT trace_id, observation_id, field FROM trace_media WHERE project_id = 'p' AND media_id = %(id)s"
    found = await postgres.rows(sql, {"id": picture.id})
    return sorted((row["trace_id"], row["observation_id"], row["field"]) for row in found)


async def inputs(pipeline: Pipeline) -> list[str]:
    return [row["input"] for row in await pipeline.rows("SELECT input FROM observations FINAL ORDER BY id")]


def spans_json(attributes: dict[str, str]) -> bytes:
    span = {
        "traceId": f"{1:032x}",
        "spanId": f"{1:016x}",
        "name": "step",
        "startTimeUnixNano": "1763000000000000000",
        "endTimeUnixNano": "1763000001000000000",
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()],
    }
    return msgspec.json.encode({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})


@pytest.mark.parametrize("form", ["protobuf", "gzip", "json"])
async def test_a_picture_in_a_span(pipeline: Pipeline, postgres: Postgres, picture: Picture, form: str) -> None:
    message = json.dumps([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": picture.uri}}]}])
    attributes = {INPUT: message, OUTPUT: f"![]({picture.uri})", "langfuse.observation.metadata.page": picture.uri}
    if form == "json":
        await pipeline.put("otlp-json", spans_json(attributes))
    elif form == "gzip":
        await pipeline.put("otlp-protobuf", gzip.compress(export(1, attributes=attributes)), encoding="gzip")
    else:
        await pipeline.put("otlp-protobuf", export(1, attributes=attributes))

    await pipeline.work_off()

    (row,) = await pipeline.rows("SELECT input, output, metadata FROM observations")
    assert json.loads(row["input"])[0]["content"][0]["image_url"]["url"] == picture.reference
    assert row["output"] == f"![]({picture.reference})"
    assert row["metadata"]["page"] == picture.reference
    assert await stored(pipeline.settings, picture) == picture.data
    trace, span = f"{1:032x}", f"{1:016x}"
    fields = ["input", "metadata", "output"]
    assert await uses(postgres, picture) == [(trace, id, field) for id in ("", span) for field in fields]
    (media,) = await postgres.rows("SELECT * FROM media WHERE project_id = 'p'")
    assert (media["content_type"], media["content_length"], media["uploaded_at"] is None) == ("image/png", 3000, False)


async def test_a_picture_in_events(pipeline: Pipeline, postgres: Postgres, picture: Picture) -> None:
    made = event("generation-create", 1, id="g", traceId="t", input={"image": picture.uri})
    changed = event("generation-update", 2, id="g", traceId="t", output=[picture.uri])
    trace = event("trace-create", 1, id="t", metadata={"cover": picture.uri})
    await pipeline.put_events(trace, made)
    await pipeline.put_events(changed)

    await pipeline.work_off()

    (row,) = await pipeline.rows("SELECT input, output FROM observations FINAL")
    assert json.loads(row["input"]) == {"image": picture.reference}
    assert json.loads(row["output"]) == [picture.reference]
    assert await uses(postgres, picture) == [("t", "", "metadata"), ("t", "g", "input"), ("t", "g", "output")]
    assert await stored(pipeline.settings, picture) == picture.data


async def test_delivered_again_it_is_kept_once(pipeline: Pipeline, postgres: Postgres, picture: Picture) -> None:
    body = export(1, attributes={INPUT: picture.uri})
    for _ in range(3):
        await pipeline.put("otlp-protobuf", body)
        await pipeline.work_off()

    assert await inputs(pipeline) == [picture.reference]
    assert len(await uses(postgres, picture)) == 2
    assert [row["id"] for row in await postgres.rows("SELECT id FROM media WHERE project_id = 'p'")] == [picture.id]


async def test_several_workers_with_the_same_pictures(pipeline: Pipeline, postgres: Postgres) -> None:
    pictures = [Picture() for _ in range(3)]
    for number in range(1, 13):
        shown = pictures if number % 2 else pictures[::-1]
        await pipeline.put("otlp-protobuf", export(number, attributes={INPUT: " ".join(each.uri for each in shown)}))

    async with pipeline.worker("worker-1"), pipeline.worker("worker-2"), pipeline.worker("worker-3"):
        await pipeline.drained()

    assert (await pipeline.stream.backlog()).dead_letters == 0
    assert len(await inputs(pipeline)) == 12
    for each in pictures:
        assert len(await uses(postgres, each)) == 24
        assert await stored(pipeline.settings, each) == each.data


async def test_a_broken_picture_stays_in_the_text(pipeline: Pipeline, postgres: Postgres, picture: Picture) -> None:
    await pipeline.put("otlp-protobuf", export(1, attributes={INPUT: picture.uri[:-3]}))

    await pipeline.work_off()

    assert await inputs(pipeline) == [picture.uri[:-3]]


async def test_a_project_that_is_gone_stops_nothing(pipeline: Pipeline, postgres: Postgres, picture: Picture) -> None:
    await postgres.execute("DELETE FROM projects WHERE id = 'p'")
    await pipeline.put("otlp-protobuf", export(1, attributes={INPUT: picture.uri}))

    await pipeline.work_off()

    assert await inputs(pipeline) == [picture.reference]


async def test_an_id_that_postgres_cannot_keep(pipeline: Pipeline, postgres: Postgres, picture: Picture) -> None:
    await pipeline.put_events(event("span-create", 1, id="a\0b", traceId="t", input=picture.uri))

    await pipeline.work_off()

    assert await inputs(pipeline) == [picture.reference]
    assert (await pipeline.stream.backlog()).dead_letters == 0
    assert await stored(pipeline.settings, picture) == picture.data


@pytest.fixture
def s3() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


async def test_a_bucket_that_is_away_is_waited_for(
    pipeline: Pipeline, postgres: Postgres, picture: Picture, s3: S3Server
) -> None:
    s3.stop()
    settings = dataclasses.replace(pipeline.settings, media=MediaSettings(s3=s3.settings))
    await pipeline.put("otlp-protobuf", export(1, attributes={INPUT: picture.uri}))
    async with pipeline.worker(settings=settings):
        await waiting_for_the_bucket(pipeline)
        assert await inputs(pipeline) == []
        await asyncio.to_thread(s3.start)
        await pipeline.drained()

    assert await inputs(pipeline) == [picture.reference]
    assert await stored(settings, picture) == picture.data
    assert (await pipeline.stream.backlog()).dead_letters == 0


async def waiting_for_the_bucket(pipeline: Pipeline) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while "bucket" not in str(await heartbeat(pipeline)):
            await asyncio.sleep(0.05)


async def heartbeat(pipeline: Pipeline) -> Any:
    return await pipeline.redis.get(key("worker", "worker-1"))


async def test_media_that_never_arrived_are_forgotten_after_a_day(pipeline: Pipeline, postgres: Postgres) -> None:
    records, lease = MediaRecords(postgres), Lease(pipeline.redis, "test", 60)
    assert await lease.take()
    ages = {"abandoned": 25, "fresh": 23, "here": 25}
    for name, hours in ages.items():
        content = Content.of("image/png", name.encode())
        await records.announce(_announced(content))
        if name == "here":
            await records.mark_uploaded("p", content.id, 4)
        sql = "UPDATE media SET updated_at = clock_timestamp() - make_interval(hours => %(hours)s) WHERE id = %(id)s"
        await postgres.execute(sql, {"hours": hours, "id": content.id})

    assert await forget_all(records, lease) == 1

    left = {row["id"] for row in await postgres.rows("SELECT id FROM media WHERE project_id = 'p'")}
    kept = {Content.of("image/png", name.encode()).id for name in ("fresh", "here")}
    assert kept <= left and Content.of("image/png", b"abandoned").id not in left


async def test_what_comes_inside_a_payload_is_not_abandoned(pipeline: Pipeline, postgres: Postgres) -> None:
    records, lease = MediaRecords(postgres), Lease(pipeline.redis, "test", 60)
    announced = _announced(Content.of("image/png", os.urandom(8)))
    await records.announce(announced)
    sql = "UPDATE media SET updated_at = clock_timestamp() - interval '3 days' WHERE id = %(id)s"
    await postgres.execute(sql, {"id": announced.id})
    assert announced.id in await records.announce_many("p", [announced])
    await forget_all(records, lease)
    assert await records.get("p", announced.id) is not None


def _announced(content: Content) -> Media:
    return Media(
        project_id="p",
        id=content.id,
        sha256_hash=content.sha256_hash,
        content_type=content.content_type,
        content_length=len(content.data),
        path=blob_key("p", content.id, content.content_type),
        uploaded_at=None,
    )
