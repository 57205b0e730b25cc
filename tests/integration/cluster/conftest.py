"""A ClickHouse cluster of two shards, with the tables that the migrations make for clusters."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from appliance.config import ClickHouseSettings
from appliance.errors import StoreUnavailable
from appliance.orchestrator.host.ports import choose_port
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.cluster import Cluster
from appliance.storage.clickhouse.migrations import load_migrations, migrate
from tests.integration.read.conftest import project

__all__ = ["project"]

NAME, DATABASE, USER, PASSWORD = "main", "traces", "langfuse", "secret"
_START_S = 30
_SERVER = Path(__file__).with_name("shard_server.py")
_NOT_HERE = re.compile(rf" ON CLUSTER `{NAME}`|\bReplicated(?=\w*MergeTree)")
"""What needs a Keeper."""


def _config(folder: Path, http: int, tcp: int, shards: list[int]) -> str:
    entries = "".join(
        f"<shard><internal_replication>true</internal_replication><replica><host>127.0.0.1</host><port>{port}</port>"
        f"<user>{USER}</user><password>{PASSWORD}</password></replica></shard>"
        for port in shards
    )
    return (
        f"<clickhouse><listen_host>127.0.0.1</listen_host><http_port>{http}</http_port><tcp_port>{tcp}</tcp_port>"
        f"<path>{folder}/data/</path><users_config>{folder}/users.xml</users_config>"
        f"<max_server_memory_usage>1000000000</max_server_memory_usage><default_profile>default</default_profile>"
        f"<remote_servers><{NAME}>{entries}</{NAME}></remote_servers></clickhouse>"
    )


def _users() -> str:
    rights = "<networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>"
    return (
        "<clickhouse><profiles><default/></profiles><quotas><default/></quotas><users>"
        f"<default><password></password>{rights}</default>"
        f"<{USER}><password>{PASSWORD}</password>{rights}</{USER}></users></clickhouse>"
    )


@pytest.fixture(scope="session")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ClickHouseSettings]]:
    """Two servers that know each other; every one leads to all rows."""
    taken: set[int] = set()
    for _ in range(4):
        taken.add(choose_port("127.0.0.1", [27700], taken))
    http_ports, tcp_ports = sorted(taken)[:2], sorted(taken)[2:]
    with ExitStack() as stack:
        for http, tcp in zip(http_ports, tcp_ports, strict=True):
            folder = tmp_path_factory.mktemp("shard")
            (folder / "config.xml").write_text(_config(folder, http, tcp, tcp_ports))
            (folder / "users.xml").write_text(_users())
            log = stack.enter_context((folder / "log").open("wb"))
            process = subprocess.Popen([sys.executable, str(_SERVER), str(folder)], stdout=log, stderr=log)
            stack.callback(process.wait)
            stack.callback(process.kill)
        found = [
            ClickHouseSettings(
                url=f"http://127.0.0.1:{port}",
                user=USER,
                password=PASSWORD,
                database=DATABASE,
                cluster_enabled=True,
                cluster_name=NAME,
            )
            for port in http_ports
        ]
        asyncio.run(_make_tables(found))
        yield found


@pytest.fixture(scope="session")
def tables(shards: list[ClickHouseSettings]) -> ClickHouseSettings:
    """The cluster, as web and worker reach it."""
    return shards[0]


async def _make_tables(shards: list[ClickHouseSettings]) -> None:
    """Migrates empty servers, which run what came ON CLUSTER one after the other instead of by a Keeper."""
    for settings in shards:
        server = ClickHouse(settings, database="")
        await _answering(server)
        await server.close()
    command = ClickHouse.command

    async def everywhere(self: ClickHouse, sql: str, params: Any = None, **how: Any) -> None:
        as_given = how.pop("as_given", False)
        for statement in (sql,) if as_given else Cluster(NAME, DATABASE).statements(sql):
            # What is wrong with it would not be seen once the clause is gone.
            await self.rows("SELECT formatQuery({sql:String}) AS formatted", {"sql": statement}, dict)
            for settings in shards if "ON CLUSTER" in statement else shards[:1]:
                server = ClickHouse(settings, database=self.database)
                await command(server, _NOT_HERE.sub("", statement), params, as_given=True, **how)
                await server.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ClickHouse, "command", everywhere)
        assert len(await migrate(shards[0])) == len(load_migrations())


async def _answering(server: ClickHouse) -> None:
    async with asyncio.timeout(_START_S):
        while True:
            try:
                return await server.ping()
            except StoreUnavailable:
                await asyncio.sleep(0.05)
