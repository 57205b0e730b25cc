"""web, worker and migrations with no more rights than docs/security.md gives them."""

from __future__ import annotations

import asyncio
import dataclasses
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
import redis

from appliance.config import ClickHouseSettings, InitSettings, PostgresSettings, RedisSettings, Settings
from appliance.errors import MigrationFailed
from appliance.orchestrator.host.ports import choose_port
from appliance.storage.clickhouse import retention
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.migrations import migrate
from appliance.storage.postgres.jobs import Jobs
from appliance.storage.redis.check import check_server
from appliance.storage.setup import prepare
from appliance.web.app import create_app
from appliance.web.context import Context, create_context
from tests.architecture.source import document
from tests.integration.cluster import shard_server
from tests.integration.external.redis_servers import until
from tests.integration.ingestion.conftest import Pipeline
from tests.integration.ingestion.test_worker import export

INIT = InitSettings(org_id="o", project_id="p", public_key="pk-grants", secret_key="sk-grants")
RIGHTS = "<networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>"


def blocks(title: str) -> list[str]:
    """The code below one heading of docs/security.md."""
    section = document("docs/security.md").split(f"### {title}\n")[1].split("\n### ")[0]
    return re.findall(r"```\w*\n(.*?)```", section, re.DOTALL)


@pytest.fixture(scope="module")
def postgres(tcp_stores: Settings) -> Iterator[PostgresSettings]:
    as_superuser, in_database = blocks("Postgres")
    place = urlsplit(tcp_stores.postgres.url).netloc.rpartition("@")[2]
    own = urlsplit(tcp_stores.postgres.url)._replace(path="/traces").geturl()
    with psycopg.connect(tcp_stores.postgres.url, autocommit=True) as connection:
        for statement in as_superuser.split(";\n"):
            connection.execute(statement.encode())
        with psycopg.connect(own, autocommit=True) as inside:
            inside.execute(in_database.encode())
        yield PostgresSettings(
            url=f"postgresql://traces_app:change-me-2@{place}/traces",
            direct_url=f"postgresql://traces_owner:change-me-1@{place}/traces",
        )
        connection.execute("DROP DATABASE traces WITH (FORCE)")
        connection.execute("DROP ROLE traces_app")
        connection.execute("DROP ROLE traces_owner")


@pytest.fixture(scope="module")
def cache(tcp_stores: Settings) -> Iterator[RedisSettings]:
    [rules] = blocks("Redis")
    place = urlsplit(tcp_stores.redis.url).netloc.rpartition("@")[2]
    client = redis.Redis.from_url(tcp_stores.redis.url, protocol=2)
    client.execute_command(*rules.split())  # type: ignore[no-untyped-call]
    yield RedisSettings(connection_string=f"redis://traces:change-me@{place}/0")
    client.execute_command("ACL", "DELUSER", "traces")  # type: ignore[no-untyped-call]
    client.close()


def _user(name: str, password: str, grants: str) -> str:
    queries = "".join(
        f"<query>{words}</query>" for words, user in re.findall(r"(GRANT [^;]*?) TO (\w+);", grants) if user == name
    )
    return f"<{name}><password>{password}</password>{RIGHTS}<grants>{queries}</grants></{name}>"


@pytest.fixture(scope="module")
def columns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseSettings]:
    """A ClickHouse that knows the two users and their grants only."""
    folder = tmp_path_factory.mktemp("clickhouse")
    port = choose_port("127.0.0.1", [27900], set())
    [grants] = blocks("ClickHouse")
    users = _user("traces_owner", "change-me-1", grants) + _user("traces_app", "change-me-2", grants)
    (folder / "users.xml").write_text(
        "<clickhouse><profiles><default/></profiles><quotas><default/></quotas><users>"
        f"<default><password></password>{RIGHTS}</default>{users}</users></clickhouse>"
    )
    (folder / "config.xml").write_text(
        f"<clickhouse><listen_host>127.0.0.1</listen_host><http_port>{port}</http_port>"
        f"<path>{folder}/data/</path><users_config>{folder}/users.xml</users_config>"
        "<max_server_memory_usage>1000000000</max_server_memory_usage><default_profile>default</default_profile>"
        "</clickhouse>"
    )
    with ExitStack() as stack:
        log = stack.enter_context((folder / "log").open("wb"))
        process = subprocess.Popen(
            [sys.executable, str(Path(shard_server.__file__)), str(folder)], stdout=log, stderr=log
        )
        stack.callback(process.wait)
        stack.callback(process.kill)
        until(lambda: _answers(port))
        yield ClickHouseSettings(
            url=f"http://127.0.0.1:{port}",
            user="traces_app",
            password="change-me-2",
            database="traces",
            migration_url=f"http://traces_owner:change-me-1@127.0.0.1:{port}",
        )


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/ping").status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
async def limited(
    tcp_stores: Settings, postgres: PostgresSettings, cache: RedisSettings, columns: ClickHouseSettings, tmp_path: Path
) -> AsyncIterator[Settings]:
    settings = dataclasses.replace(
        tcp_stores, postgres=postgres, redis=cache, clickhouse=columns, init=INIT, data_dir=tmp_path
    )
    await prepare(settings, lambda step: None)
    yield settings


async def test_the_documented_grants_are_enough(limited: Settings) -> None:
    context = create_context(limited)
    await context.open()
    pipe = Pipeline(limited, context.clickhouse, context.redis)
    transport = httpx.ASGITransport(create_app(limited, context))
    auth = (INIT.public_key, INIT.secret_key)
    async with httpx.AsyncClient(transport=transport, base_url="http://test/api/public", auth=auth) as http:
        sent = await http.post("/otel/v1/traces", content=export(7), headers={"content-type": "application/x-protobuf"})
        assert sent.status_code == 200, sent.text
        batch = [{"id": "e", "type": "score-create", "timestamp": "2025-11-13T02:13:20Z", "body": _SCORE}]
        assert (await http.post("/ingestion", json={"batch": batch})).status_code == 207
        async with pipe.worker():
            await pipe.drained()
            assert (await http.get("/health")).status_code == 200
        for path in ("/traces", "/v2/scores", "/observations"):
            answer = await http.get(path)
            assert (answer.status_code, answer.json()["meta"]["totalItems"]) == (200, 1), answer.text
        assert (await http.post("/v2/prompts", json={"name": "greet", "prompt": "Hello"})).status_code == 201
        assert (await http.post("/v2/datasets", json={"name": "d"})).status_code == 200
        assert (await http.post("/dataset-items", json={"datasetName": "d", "input": 1})).status_code == 200
        for path in ("/v2/prompts", "/v2/datasets", "/projects", "/metrics/daily", "/sessions"):
            assert (await http.get(path)).status_code == 200, path
        assert (await http.delete("/traces/" + _SCORE["traceId"])).status_code == 200
        async with pipe.worker():
            await _purged(context)
        assert await retention.stored_bytes(context.clickhouse) > 0
    await context.close()


async def _purged(context: Context) -> None:
    """Wait until the deletion is carried out and its disk space given back."""
    jobs = Jobs(context.postgres)
    await context.postgres.execute("UPDATE jobs SET run_at = clock_timestamp() WHERE state = 'waiting'")
    async with asyncio.timeout(60):
        while not {"purge_deleted", "reclaim_disk"} <= {job.kind for job in await jobs.list(["done"])}:
            assert [job.error for job in await jobs.list() if job.error] == []
            await context.postgres.execute("UPDATE jobs SET run_at = clock_timestamp() WHERE state = 'waiting'")
            await asyncio.sleep(0.1)


_SCORE: dict[str, Any] = {"id": "s", "name": "quality", "value": 1, "traceId": (7).to_bytes(16, "big").hex()}


async def test_web_and_worker_cannot_change_tables(limited: Settings) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with await psycopg.AsyncConnection.connect(limited.postgres.url) as connection:
            await connection.execute("CREATE TABLE mine (id int)")
    alone = dataclasses.replace(limited.clickhouse, migration_url="", database="other")
    with pytest.raises(MigrationFailed, match="Not enough privileges") as refused:
        await migrate(alone)
    assert "docs/security.md" in refused.value.hint
    clickhouse = ClickHouse(alone, database="traces")
    with pytest.raises(Exception, match="Not enough privileges"):
        await clickhouse.command("DROP TABLE scores")
    await clickhouse.close()


async def test_a_role_without_the_grants_is_told_so(limited: Settings) -> None:
    without = dataclasses.replace(
        limited, postgres=dataclasses.replace(limited.postgres, direct_url=f"{limited.postgres.url}?application_name=x")
    )
    await prepare(without, lambda step: None)  # there is nothing left to migrate
    with psycopg.connect(limited.postgres.direct_url, autocommit=True) as connection:
        connection.execute("DELETE FROM schema_migrations")
    with pytest.raises(MigrationFailed, match="may not change tables") as refused:
        await prepare(without, lambda step: None)
    assert "docs/security.md" in str(refused.value)


async def test_a_user_of_redis_without_the_rules_is_told_so(tcp_stores: Settings, cache: RedisSettings) -> None:
    assert await check_server(cache) == []
    client = redis.Redis.from_url(tcp_stores.redis.url, protocol=2)
    client.execute_command("ACL", "SETUSER", "little", "on", ">x", "~other:*", "+@read", "+@connection")  # type: ignore[no-untyped-call]
    place = cache.connection_string.rpartition("@")[2]
    with pytest.raises(MigrationFailed, match="may not do enough"):
        await check_server(RedisSettings(connection_string=f"redis://little:x@{place}"))
    with pytest.raises(MigrationFailed, match="refuses the login"):
        await check_server(RedisSettings(connection_string=f"redis://little:wrong@{place}"))
    client.execute_command("ACL", "DELUSER", "little")  # type: ignore[no-untyped-call]
    client.close()
