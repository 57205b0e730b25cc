"""Several processes that migrate at once on empty stores: one of them does the work, all succeed."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from appliance.config import Settings, to_environ
from appliance.errors import ConfigError, MigrationFailed, StoreUnavailable
from appliance.orchestrator.processes.child import inherited_environ
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.migrations import load_migrations
from appliance.storage.postgres import migrate
from appliance.storage.postgres.migrate import exclusive_connection, known_migrations
from appliance.storage.redis.check import check_server

STARTERS = 5


@pytest.fixture
async def empty(tcp_stores: Settings, tmp_path: Path) -> AsyncIterator[Settings]:
    async with await psycopg.AsyncConnection.connect(tcp_stores.postgres.url, autocommit=True) as connection:
        await connection.execute("CREATE DATABASE many")
        url = urlsplit(tcp_stores.postgres.url)._replace(path="/many").geturl()
        yield dataclasses.replace(
            tcp_stores,
            data_dir=tmp_path,
            salt="many",
            postgres=dataclasses.replace(tcp_stores.postgres, url=url),
            clickhouse=dataclasses.replace(tcp_stores.clickhouse, database="many"),
        )
        await connection.execute("DROP DATABASE many WITH (FORCE)")
    clickhouse = ClickHouse(tcp_stores.clickhouse)
    await clickhouse.command("DROP DATABASE many")
    await clickhouse.close()


async def test_one_of_many_starters_migrates(empty: Settings) -> None:
    environ = {**inherited_environ(), **to_environ(empty)}

    async def start() -> tuple[int | None, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "appliance", "migrate", env=environ, stderr=asyncio.subprocess.PIPE
        )
        _, said = await asyncio.wait_for(process.communicate(), 120)
        return process.returncode, said.decode()

    ended = await asyncio.gather(*(start() for _ in range(STARTERS)))
    assert [code for code, _ in ended] == [0] * STARTERS, ended
    assert sum("migrations applied" in said for _, said in ended) == 1
    async with exclusive_connection(empty.postgres) as connection:
        rows = await (await connection.execute("SELECT version FROM schema_migrations")).fetchall()
        assert len(rows) == len(known_migrations())
        keys = await (await connection.execute("SELECT count(*) AS n FROM api_keys")).fetchone()
        assert keys == {"n": 1}
    clickhouse = ClickHouse(empty.clickhouse)
    found: list[dict[str, int]] = await clickhouse.rows("SELECT version FROM schema_migrations", {}, dict)
    assert sorted(row["version"] for row in found) == [migration.version for migration in load_migrations()]
    await clickhouse.close()


async def test_a_postgres_that_is_too_old(tcp_stores: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "MINIMUM_VERSION", 99)
    with pytest.raises(MigrationFailed, match=r"Postgres \d+\.\d+ is too old; 99 or newer is needed"):
        async with exclusive_connection(tcp_stores.postgres):
            pass


async def test_migrations_do_not_go_through_a_pooler(tcp_stores: Settings) -> None:
    pooled = dataclasses.replace(tcp_stores.postgres, pooler=True)
    with pytest.raises(ConfigError, match="pooler"):
        async with exclusive_connection(pooled):
            pass
    async with exclusive_connection(dataclasses.replace(pooled, direct_url=tcp_stores.postgres.url)):
        pass


async def test_servers_of_the_wrong_kind_are_said_so(tcp_stores: Settings) -> None:
    clickhouse, cache = urlsplit(tcp_stores.clickhouse.url), urlsplit(tcp_stores.redis.url)
    swapped = dataclasses.replace(tcp_stores.redis, connection_string=f"redis://127.0.0.1:{clickhouse.port}/0")
    with pytest.raises((MigrationFailed, StoreUnavailable), match="Redis"):
        await check_server(swapped)
    postgres = dataclasses.replace(tcp_stores.postgres, url=f"postgresql://u:p@127.0.0.1:{cache.port}/d")
    with pytest.raises(StoreUnavailable, match="Postgres cannot be used"):
        async with exclusive_connection(postgres):
            pass
    other = ClickHouse(dataclasses.replace(tcp_stores.clickhouse, url=f"http://127.0.0.1:{cache.port}"))
    with pytest.raises(StoreUnavailable, match="ClickHouse cannot be reached"):
        await other.ping()
    await other.close()
