"""Copies from one database into another one beside it: equal row by row, or nothing at all."""

from __future__ import annotations

import asyncio
import dataclasses
import subprocess
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql
from redis.asyncio import Redis
from redis.exceptions import ConnectionError

from appliance.config import RedisSettings, Settings
from appliance.errors import CopyFailed
from appliance.model.observations import Observation
from appliance.model.queue import Entry
from appliance.orchestrator.host.ports import choose_port
from appliance.orchestrator.runtimes.embedded.redis import find_server
from appliance.storage.clickhouse import copying as clickhouse_copying
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.migrations import migrate
from appliance.storage.clickhouse.writer import Writer
from appliance.storage.postgres import copying as postgres_copying
from appliance.storage.postgres.migrate import apply_migrations, exclusive_connection
from appliance.storage.redis.check import check_server
from appliance.storage.redis.client import connect
from appliance.storage.redis.copying import copy_keys, holds_anything
from appliance.storage.redis.ingest_stream import GROUP, STREAM, IngestStream


def beside(settings: Settings, name: str) -> Settings:
    """The same servers with databases of another name."""
    address = urlsplit(settings.postgres.url)
    return dataclasses.replace(
        settings,
        postgres=dataclasses.replace(settings.postgres, url=urlunsplit(address._replace(path=f"/{name}"))),
        clickhouse=dataclasses.replace(settings.clickhouse, database=name),
    )


@pytest.fixture
async def pair(stores: Settings) -> AsyncIterator[tuple[Settings, Settings]]:
    """Two sets of databases with all tables and nothing in them."""
    names = [f"copy_{uuid.uuid4().hex}" for _ in range(2)]
    both = (beside(stores, names[0]), beside(stores, names[1]))
    async with await psycopg.AsyncConnection.connect(stores.postgres.url, autocommit=True) as admin:
        for name, settings in zip(names, both, strict=True):
            await admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            await migrate(settings.clickhouse)
            async with exclusive_connection(settings.postgres) as connection:
                await apply_migrations(connection)
        yield both
        clickhouse = await ClickHouse.connect(stores.clickhouse)
        for name in names:
            await admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
            await clickhouse.command("DROP DATABASE {name:Identifier}", {"name": name})
        await clickhouse.close()


async def test_postgres_rows_come_over_with_those_they_refer_to(pair: tuple[Settings, Settings]) -> None:
    old, new = (settings.postgres for settings in pair)
    async with await psycopg.AsyncConnection.connect(old.url) as source:
        await source.execute("INSERT INTO organizations (id, name) VALUES ('o', 'Ünï \\ \t tab')")
        await source.execute("INSERT INTO projects (id, org_id, name) VALUES ('p', 'o', 'old')")
        await source.execute("INSERT INTO datasets (id, project_id, name) VALUES ('d', 'p', 'questions')")
        await source.execute(
            "INSERT INTO dataset_runs (id, project_id, dataset_id, name) VALUES ('r', 'p', 'd', 'run')"
        )
        await source.execute(
            "INSERT INTO dataset_run_items (id, project_id, dataset_run_id, dataset_item_id, trace_id)"
            " VALUES ('i', 'p', 'r', 'item', 't')"
        )
    async with await psycopg.AsyncConnection.connect(new.url) as target:
        await target.execute("INSERT INTO organizations (id, name) VALUES ('other', 'of an earlier time')")
    copied = await postgres_copying.copy_tables(old, new)
    assert copied["organizations"] == copied["projects"] == copied["dataset_run_items"] == 1
    async with await psycopg.AsyncConnection.connect(new.url) as target:
        found = await (await target.execute("SELECT id, name FROM organizations")).fetchall()
    assert found == [("o", "Ünï \\ \t tab")]


async def test_whatever_somebody_made_counts_as_data(pair: tuple[Settings, Settings]) -> None:
    settings = pair[0]
    assert not await asyncio.to_thread(clickhouse_copying.has_rows, settings.clickhouse)
    clickhouse = await ClickHouse.connect(settings.clickhouse)
    await clickhouse.command("INSERT INTO scores (project_id, id, name) VALUES ('p', 's', 'quality')")
    await clickhouse.close()
    assert await asyncio.to_thread(clickhouse_copying.has_rows, settings.clickhouse)

    async with await psycopg.AsyncConnection.connect(settings.postgres.url) as connection:
        await connection.execute("INSERT INTO organizations (id, name) VALUES ('o', 'first start')")
        await connection.execute("INSERT INTO projects (id, org_id, name) VALUES ('p', 'o', 'first start')")
    assert not await postgres_copying.has_rows(settings.postgres)
    async with await psycopg.AsyncConnection.connect(settings.postgres.url) as connection:
        await connection.execute("INSERT INTO datasets (id, project_id, name) VALUES ('d', 'p', 'questions')")
    assert await postgres_copying.has_rows(settings.postgres)


async def test_another_schema_is_refused_and_nothing_is_touched(pair: tuple[Settings, Settings]) -> None:
    old, new = (settings.postgres for settings in pair)
    async with await psycopg.AsyncConnection.connect(new.url) as target:
        await target.execute("INSERT INTO organizations (id, name) VALUES ('kept', 'kept')")
        await target.execute("ALTER TABLE projects ADD COLUMN future text")
    with pytest.raises(CopyFailed):
        await postgres_copying.copy_tables(old, new)
    async with await psycopg.AsyncConnection.connect(new.url) as target:
        assert (await (await target.execute("SELECT count(*) FROM organizations")).fetchone()) == (1,)


async def test_clickhouse_rows_come_over_as_they_lie_there(pair: tuple[Settings, Settings]) -> None:
    old, new = (settings.clickhouse for settings in pair)
    source, target = await ClickHouse.connect(old), await ClickHouse.connect(new)
    rows = [
        Observation(
            project_id="p",
            trace_id=f"t{n % 50 % 7}",
            id=f"o{n % 50}",
            start_time=1_700_000_000_000_000 + 1000 * (n % 50) * 86_400,
            input=f"text {n}",
            metadata={"n": str(n)},
            usage_details={"input": n},
            event_ts=1_700_000_000_000_000 + n,
            created_at=1,
            updated_at=1,
        )
        for n in range(100)
    ]
    for half in (rows[:50], rows[50:]):  # the second half supersedes the first
        await Writer(source).write(half)
    told: list[tuple[str, int, int]] = []
    copied = clickhouse_copying.copy_tables(old, new, lambda *news: told.append(news))
    assert copied["observations"] == copied["observations_list"]
    assert ("observations", copied["observations"], copied["observations"]) in told
    query = "SELECT count() AS rows, sum(usage_details['input']) AS total FROM {table:Identifier} FINAL"
    for table in ("observations", "observations_list"):
        before = await source.rows(query, {"table": table}, dict)
        assert before == await target.rows(query, {"table": table}, dict)
        assert before[0]["rows"] == 50
    assert copied["touched_traces"] == 14
    again = clickhouse_copying.copy_tables(old, new, lambda *_: None)
    assert again == copied
    await source.close()
    await target.close()


async def test_more_parts_than_daily_work_may_make_are_copied_and_merged(
    pair: tuple[Settings, Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = (settings.clickhouse for settings in pair)
    source, target = await ClickHouse.connect(old), await ClickHouse.connect(new)
    await source.command(
        "INSERT INTO scores (project_id, id, name, timestamp) "
        "SELECT 'p', toString(number), 'quality', fromUnixTimestamp64Micro(1700000000000000) FROM numbers(100000)"
    )
    few = "ALTER TABLE scores MODIFY SETTING parts_to_delay_insert = 5, parts_to_throw_insert = 6"
    await target.command(few)
    monkeypatch.setitem(clickhouse_copying._WRITE, "min_insert_block_size_rows", 2)
    monkeypatch.setattr(clickhouse_copying, "_FEW_PARTS", 4)
    assert clickhouse_copying.copy_tables(old, new, lambda *_: None)["scores"] == 100_000
    parts = "SELECT count() AS n FROM system.parts WHERE database = currentDatabase() AND table = 'scores' AND active"
    [found] = await target.rows(parts, {}, dict)
    assert found["n"] <= 4
    await target.insert(
        "scores", b'{"project_id": "p", "id": "next", "name": "quality", "timestamp": "1700000000000000"}'
    )
    await source.close()
    await target.close()


@pytest.fixture
def second_redis(tmp_path: Path) -> Iterator[RedisSettings]:
    """Another Redis, since ours have one database each."""
    port = choose_port("127.0.0.1", [27600], set())
    arguments = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    server = subprocess.Popen([find_server(), *arguments], stdout=subprocess.DEVNULL)
    try:
        yield RedisSettings(connection_string=f"redis://127.0.0.1:{port}/0")
    finally:
        server.terminate()
        server.wait()


async def test_redis_keys_of_every_kind_come_over(stores: Settings, second_redis: RedisSettings) -> None:
    old, new = connect(stores.redis), connect(second_redis)
    await old.flushdb()
    async with asyncio.timeout(10):
        while not await answers(new):
            await asyncio.sleep(0.02)
    await new.set("of an earlier time", "x")
    stream = IngestStream(old, stores.ingestion)
    for number in range(120):
        await stream.append(Entry(kind="events", project_id="p", body=b"\x00\xff" * number, accepted_at=number))
    assert len(await stream.read("worker-1", 3, 10)) == 3  # in hand, never acknowledged
    await old.hset("h", mapping={"a": b"\x80", "b": "2"})
    await old.rpush("l", "1", "2")
    await old.sadd("s", "1", "2")
    await old.zadd("z", {"a": 1.5})
    await old.set("lasting", "1", ex=3600)
    await old.set("heartbeat", "1", ex=10)

    await copy_keys(old, new)
    assert await new.get("heartbeat") is None and await new.get("of an earlier time") is None
    assert await new.hgetall("h") == {b"a": b"\x80", b"b": b"2"}
    assert await new.lrange("l", 0, -1) == [b"1", b"2"]
    assert await new.smembers("s") == {b"1", b"2"}
    assert await new.zscore("z", "a") == 1.5
    assert 3500 < await new.ttl("lasting") <= 3600
    moved = IngestStream(new, stores.ingestion)
    handed_out = await moved.read("worker-1", 200, 10)
    assert [delivery.entry.body for delivery in handed_out] == [b"\x00\xff" * number for number in range(120)]
    await old.flushdb()
    await old.aclose()
    await new.aclose()


async def test_what_waits_in_a_redis_counts_as_data_and_signs_of_life_do_not(
    stores: Settings, second_redis: RedisSettings
) -> None:
    redis = connect(second_redis)
    async with asyncio.timeout(10):
        while not await answers(redis):
            await asyncio.sleep(0.02)
    stream = IngestStream(redis, stores.ingestion)
    await redis.set("heartbeat", "1", ex=10)
    await stream.append(Entry(kind="events", project_id="p", body=b"x", accepted_at=1))
    assert await holds_anything(redis)
    await redis.flushdb()
    await check_server(second_redis)  # as a first start does
    await redis.set("heartbeat", "1", ex=10)
    await redis.xgroup_create(STREAM, GROUP, mkstream=True)
    assert not await holds_anything(redis)
    await redis.aclose()


async def answers(redis: Redis) -> bool:
    """Whether the server has started."""
    try:
        return bool(await redis.ping())
    except ConnectionError:
        return False
