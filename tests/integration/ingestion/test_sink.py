"""A sink over real stores does what one over fakes does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from appliance.model.observations import Observation
from appliance.model.prompts import NewPrompt
from appliance.model.scores import Score
from appliance.storage.blobs.choice import blob_store
from appliance.storage.clickhouse.stored import Stored
from appliance.storage.clickhouse.writer import Writer
from appliance.storage.postgres.media import MediaRecords
from appliance.storage.postgres.pool import Postgres
from appliance.storage.postgres.prompts import Prompts
from appliance.storage.postgres.score_configs import ScoreConfigs
from appliance.storage.redis.keys import key
from appliance.storage.redis.patches import Patches
from appliance.worker.lookups import PostgresLookups
from appliance.worker.media import MediaKeeper
from appliance.worker.sink import Sink
from tests.fakes.sink_contract import SinkContract
from tests.integration.ingestion.conftest import Pipeline


class InStores:
    def __init__(self, pipeline: Pipeline, postgres: Postgres, lookups: PostgresLookups) -> None:
        self._pipeline = pipeline
        self._postgres = postgres
        self._stored = Stored(pipeline.clickhouse)
        self.pricing = lookups.pricing
        media = MediaKeeper(MediaRecords(postgres), blob_store(pipeline.settings))
        patches = Patches(pipeline.redis)
        self.sink = Sink(self._stored, Writer(pipeline.clickhouse), patches, lookups, media)

    async def observations(self) -> list[Observation]:
        ids = await self._pipeline.rows("SELECT id FROM observations FINAL WHERE is_deleted = 0 ORDER BY id")
        assert ids == await self._pipeline.rows(
            "SELECT id FROM observations_list FINAL WHERE is_deleted = 0 ORDER BY id"
        )
        rows = await self._stored.observations({("p", row["id"]): None for row in ids})
        assert len(rows) == len(ids)
        return sorted(rows.values(), key=lambda row: row.id)

    async def scores(self) -> list[Score]:
        ids = await self._pipeline.rows("SELECT id FROM scores FINAL")
        return list((await self._stored.scores([("p", row["id"]) for row in ids])).values())

    async def parts(self) -> list[tuple[str, str]]:
        rows = await self._pipeline.rows("SELECT id, part_id FROM trace_parts FINAL ORDER BY id, part_id")
        return [(row["id"], row["part_id"]) for row in rows]

    async def patches_of(self, kind: str, entity_id: str) -> int:
        found: Any = await self._pipeline.redis.hlen(key("patches", "p", kind, entity_id))
        return int(found)

    async def forget_patches(self) -> None:
        await self._pipeline.redis.flushdb()

    async def add_prompt(self, name: str) -> str:
        new = NewPrompt(name=name, type="text", prompt="Hello", labels=[])
        return (await Prompts(self._postgres).create("p", new)).id

    async def add_config(self, most: float) -> str:
        config = await ScoreConfigs(self._postgres).create(
            "p",
            name="quality",
            data_type="NUMERIC",
            min_value=None,
            max_value=most,
            categories=None,
            description=None,
        )
        return config.id

    async def media(self) -> dict[str, list[tuple[str, str]]]:
        sql = "SELECT media_id, observation_id, field FROM trace_media WHERE project_id = 'p'"
        found: dict[str, list[tuple[str, str]]] = {}
        for row in await self._postgres.rows(sql):
            found.setdefault(row["media_id"], []).append((row["observation_id"], row["field"]))
        return found


@pytest.fixture
async def into(pipeline: Pipeline, postgres: Postgres) -> AsyncIterator[InStores]:
    lookups = PostgresLookups(postgres)
    await lookups.load()
    yield InStores(pipeline, postgres, lookups)
    await lookups.close()


class TestSink(SinkContract):
    pass
