"""A database and a queue of their own for each test, and a worker on them."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from appliance.config import Settings
from appliance.model.queue import Entry, EntryKind
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.migrations import migrate
from appliance.storage.postgres.migrate import apply_migrations, exclusive_connection
from appliance.storage.postgres.pool import Postgres
from appliance.storage.redis.client import connect
from appliance.storage.redis.ingest_stream import GROUP, STREAM, IngestStream
from appliance.worker.runner import open_worker

DEADLINE_S = 60


class Pipeline:
    """Puts entries into the queue, runs workers, and looks at what they wrote."""

    def __init__(self, settings: Settings, clickhouse: ClickHouse, redis: Redis) -> None:
        self.settings = settings
        self.clickhouse = clickhouse
        self.redis = redis
        self.open_stream()

    def open_stream(self) -> None:
        """A queue whose bounds nobody has looked at yet."""
        self.stream = IngestStream(self.redis, self.settings.ingestion)

    async def put(self, kind: EntryKind, body: bytes, **fields: Any) -> str:
        entry = Entry(kind=kind, project_id="p", body=body, accepted_at=time.time_ns() // 1000, **fields)
        return await self.stream.append(entry)

    async def put_events(self, *events: dict[str, Any]) -> str:
        return await self.put("events", msgspec.json.encode(events))

    @contextlib.asynccontextmanager
    async def worker(self, name: str = "worker-1", settings: Settings | None = None) -> AsyncIterator[None]:
        stopping = asyncio.Event()
        async with open_worker(settings or self.settings, name, stopping) as worker:
            working = asyncio.create_task(worker.work())
            try:
                yield
            finally:
                stopping.set()
                await asyncio.wait_for(working, DEADLINE_S)

    async def drained(self) -> None:
        """Wait until nothing is left in the queue."""
        async with asyncio.timeout(DEADLINE_S):
            while (await self.stream.backlog()).backlog:
                await asyncio.sleep(0.01)

    async def taken(self) -> None:
        """Wait until a worker has read an entry that it has not acknowledged."""
        async with asyncio.timeout(DEADLINE_S):
            while not await self._pending():
                await asyncio.sleep(0.01)

    async def _pending(self) -> int:
        try:
            summary = await self.redis.xpending(STREAM, GROUP)
        except ResponseError:  # the first reader makes the group
            return 0
        return int(summary["pending"])

    async def work_off(self) -> None:
        async with self.worker():
            await self.drained()

    async def rows(self, sql: str) -> list[dict[str, Any]]:
        return await self.clickhouse.rows(sql, {}, dict[str, Any])


@pytest.fixture
async def pipeline(stores: Settings) -> AsyncIterator[Pipeline]:
    database = f"test_{uuid.uuid4().hex}"
    settings = dataclasses.replace(stores, clickhouse=dataclasses.replace(stores.clickhouse, database=database))
    await migrate(settings.clickhouse)
    async with exclusive_connection(settings.postgres) as connection:
        await apply_migrations(connection)
    clickhouse = await ClickHouse.connect(settings.clickhouse)
    redis = connect(settings.redis)
    await redis.flushdb()
    yield Pipeline(settings, clickhouse, redis)
    await clickhouse.command("DROP DATABASE {name:Identifier}", {"name": database})
    await clickhouse.close()
    await redis.aclose()


@pytest.fixture
async def postgres(pipeline: Pipeline) -> AsyncIterator[Postgres]:
    """A pool, with a project `p` that has nothing else in it."""
    found = Postgres(pipeline.settings.postgres)
    await found.open()
    await found.execute("DELETE FROM organizations WHERE id = 'o'")
    await found.execute("INSERT INTO organizations (id, name) VALUES ('o', 'o')")
    await found.execute("INSERT INTO projects (id, org_id, name) VALUES ('p', 'o', 'p')")
    yield found
    await found.close()
