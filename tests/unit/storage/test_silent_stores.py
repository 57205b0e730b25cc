"""A store that takes connections and then says nothing must not hold those who ask it for long."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import AsyncIterator

import pytest

from appliance.config import ClickHouseSettings, IngestionSettings, PostgresSettings, RedisSettings
from appliance.errors import StoreUnavailable
from appliance.model.queue import Entry
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.postgres.pool import Postgres, answered
from appliance.storage.redis import ingest_stream
from appliance.storage.redis.client import connect
from appliance.storage.redis.ingest_stream import IngestStream

SOON_S = 2.9


@pytest.fixture
async def silent_port() -> AsyncIterator[int]:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with contextlib.suppress(ConnectionError):
            while await reader.read(1000):
                pass

    writers: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for writer in writers:
        writer.close()
    await asyncio.sleep(0)


async def test_redis(silent_port: int) -> None:
    client = connect(RedisSettings(connection_string=f"redis://127.0.0.1:{silent_port}"))
    stream = IngestStream(client, IngestionSettings())
    entry = Entry(kind="events", project_id="p", body=b"[]", accepted_at=0)
    start = time.monotonic()
    with pytest.raises(StoreUnavailable):
        await stream.append(entry)
    assert time.monotonic() - start < SOON_S
    await client.aclose()


async def test_redis_has_more_time_for_large_bodies(monkeypatch: pytest.MonkeyPatch) -> None:
    deadlines: list[float] = []

    def answered_within(seconds: float) -> contextlib.AbstractAsyncContextManager[None]:
        deadlines.append(seconds)
        raise StoreUnavailable("Stop here.")

    monkeypatch.setattr(ingest_stream, "answered_within", answered_within)
    for size in (2, 63_000_000, 2):
        stream = IngestStream(connect(RedisSettings(connection_string="redis://127.0.0.1:1")), IngestionSettings())
        with pytest.raises(StoreUnavailable):
            await stream.append(Entry(kind="events", project_id="p", body=b"x" * size, accepted_at=0))
    small, large, small_again = deadlines
    assert (large > small + 10, small_again) == (True, small)


async def test_clickhouse(silent_port: int) -> None:
    clickhouse = ClickHouse(ClickHouseSettings(url=f"http://127.0.0.1:{silent_port}"))
    start = time.monotonic()
    with pytest.raises(StoreUnavailable, match="did not answer"):
        await clickhouse.rows("SELECT 1 AS one", {}, dict)
    assert time.monotonic() - start < SOON_S
    await clickhouse.close()


async def test_postgres(silent_port: int) -> None:
    postgres = Postgres(PostgresSettings(url=f"postgresql://u:p@127.0.0.1:{silent_port}/d"))
    await postgres.open()
    start = time.monotonic()
    with pytest.raises(StoreUnavailable):
        await postgres.row("SELECT 1")
    with pytest.raises(StoreUnavailable):
        async with postgres.transaction():
            pass
    assert time.monotonic() - start < 2 * SOON_S
    await postgres.close()


async def test_a_late_answer_of_postgres_is_not_waited_for() -> None:
    with pytest.raises(StoreUnavailable, match="did not answer"):
        await answered(asyncio.Event().wait(), seconds=0.01)
    assert await answered(asyncio.sleep(0, "soon"), seconds=1) == "soon"


async def test_work_whose_waiter_was_cancelled_fails_in_silence() -> None:
    heard: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: heard.append(context))
    may_fail = asyncio.Event()

    async def fail() -> None:
        await may_fail.wait()
        raise StoreUnavailable("The pool is closed.")

    waiter = asyncio.create_task(answered(fail(), 60))
    await asyncio.sleep(0)
    waiter.cancel()
    await asyncio.wait([waiter])
    may_fail.set()
    while len(asyncio.all_tasks()) > 1:
        await asyncio.sleep(0)
    gc.collect()
    assert heard == []
