"""Where rows lie on a cluster, and that ClickHouse itself takes the statements that are made for it."""

from __future__ import annotations

import dataclasses

import pytest

from appliance.config import ClickHouseSettings
from appliance.errors import MigrationFailed
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.cluster import on_cluster
from appliance.storage.clickhouse.migrations import cluster_statements, migrate
from tests.integration.cluster.conftest import DATABASE, NAME
from tests.integration.read.conftest import NOW, Project

TRACES = 12


async def count(clickhouse: ClickHouse, table: str, project_id: str) -> int:
    rows: list[dict[str, int]] = await clickhouse.rows(
        f"SELECT count() AS n FROM {table} WHERE project_id = {{p:String}}", {"p": project_id}, dict
    )
    return rows[0]["n"]


async def test_every_statement_is_one_that_clickhouse_can_read(tables: ClickHouseSettings) -> None:
    clickhouse = await ClickHouse.connect(tables)
    for _, statements in cluster_statements(NAME, DATABASE):
        for sql in statements:
            asked: list[dict[str, str]] = await clickhouse.rows(
                "SELECT formatQuery({sql:String}) AS formatted", {"sql": sql}, dict
            )
            if sql.startswith(("CREATE", "ALTER", "DROP")):
                assert f"ON CLUSTER {NAME}" in asked[0]["formatted"]
    await clickhouse.close()


async def test_a_trace_is_whole_on_one_shard_and_both_shards_have_some(
    project: Project, shards: list[ClickHouseSettings]
) -> None:
    for number in range(TRACES):
        await project.trace(f"t{number}")
        for each in range(3):
            await project.observation(f"t{number}", f"t{number}-{each}", at=NOW + each)
    found = []
    for settings in shards:
        clickhouse = await ClickHouse.connect(settings)
        local = [
            await count(clickhouse, table, project.id)
            for table in ("trace_parts_local", "observations_local", "observations_list_local")
        ]
        assert local[1] == local[2] == 3 * local[0]
        assert await count(clickhouse, "observations", project.id) == 3 * TRACES
        found.append(local[0])
        await clickhouse.close()
    assert sum(found) == TRACES and min(found) > 0


async def test_a_row_written_again_replaces_the_first_on_its_shard(project: Project) -> None:
    for _ in range(2):
        await project.score("s", value=1.0, trace_id="t")
    assert await project.ids("/v2/scores") == ["s"]


async def test_tables_of_a_cluster_are_not_taken_for_those_of_one_server(tables: ClickHouseSettings) -> None:
    with pytest.raises(MigrationFailed, match="made for a cluster, not for one server"):
        await migrate(dataclasses.replace(tables, cluster_enabled=False))


async def test_a_cluster_without_a_keeper_is_said_so(tables: ClickHouseSettings) -> None:
    with pytest.raises(MigrationFailed, match="the database") as refused:
        await migrate(tables)
    assert "Keeper" in refused.value.hint


async def test_any_name_of_a_cluster_is_one_that_clickhouse_can_read(tables: ClickHouseSettings) -> None:
    clickhouse = await ClickHouse.connect(tables)
    for name in ("eu-1", "a `b` c", "back\\slash", "{cluster}"):
        sql = f"CREATE DATABASE d {on_cluster(name)}"
        await clickhouse.rows("SELECT formatQuery({sql:String}) AS formatted", {"sql": sql}, dict)
    await clickhouse.close()
