"""Pages of traces are those of the model, aggregated or not, however much waits to be aggregated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from appliance.storage.clickhouse.traces import pages
from appliance.storage.clickhouse.traces.aggregate import aggregate_round
from tests.integration.read.conftest import NOW, SECOND, Project
from tests.integration.read.test_aggregation import World, write

Row = dict[str, Any]
LISTS: list[tuple[dict[str, Any], Callable[[Row], bool]]] = [
    ({}, lambda row: True),
    ({"userId": "u"}, lambda row: row["user_id"] == "u"),
    ({"sessionId": "s"}, lambda row: row["session_id"] == "s"),
    ({"name": "a"}, lambda row: row["name"] == "a"),
    ({"release": "1"}, lambda row: row["release"] == "1"),
    ({"environment": "prod"}, lambda row: row["environment"] == "prod"),
    ({"tags": ["x"]}, lambda row: "x" in row["tags"]),
    ({"tags": ["x", "y"]}, lambda row: {"x", "y"} <= set(row["tags"])),
    ({"userId": "v", "tags": ["z"]}, lambda row: row["user_id"] == "v" and "z" in row["tags"]),
    ({"sessionId": ""}, lambda row: True),
    (
        {"filter": [{"type": "stringOptions", "column": "userId", "operator": "any of", "value": ["u", "w"]}]},
        lambda row: row["user_id"] in ("u", "w"),
    ),
    (
        {"filter": [{"type": "stringOptions", "column": "userId", "operator": "none of", "value": ["u", "w"]}]},
        lambda row: row["user_id"] not in ("u", "w"),
    ),
    (
        {"filter": [{"type": "null", "column": "userId", "operator": "is null", "value": ""}]},
        lambda row: row["user_id"] == "",
    ),
    (
        {"filter": [{"type": "number", "column": "errorCount", "operator": ">", "value": 1}]},
        lambda row: row["error_count"] > 1,
    ),
]


@pytest.mark.parametrize("few", [500, -1], ids=["little waits", "much waits"])
@pytest.mark.parametrize("seed", range(2))
async def test_lists_are_those_of_the_model(
    project: Project, seed: int, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "_FEW_DIRTY", few)
    world = World(project.id, seed)
    for step in range(4):
        await write(project, *(world.removal() if step == 2 else world.change()))
        if world.random.random() < 0.4:
            await aggregate_round(project.clickhouse, quiet_s=0)
        expected = world.expected()
        observations: dict[str, set[str]] = {}
        for trace_id, observation_id in world.observations:
            observations.setdefault(trace_id, set()).add(observation_id)
        for params, passes in LISTS:
            rows = sorted(filter(passes, expected.values()), key=lambda row: (row["started"], row["id"]), reverse=True)
            for limit in (100, 3):
                page = await project.get("/traces", limit=limit, fields="core,observations", **params)
                assert [row["id"] for row in page["data"]] == [row["id"] for row in rows[:limit]], (params, limit)
                assert page["meta"]["totalItems"] == len(rows), params
                for row in page["data"]:
                    assert set(row["observations"]) == observations.get(row["id"], set()), (params, row["id"])


async def test_a_page_by_time_is_whole_when_the_newest_rows_are_old_versions(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "_SPARE", 0)
    for number in range(4):
        await project.trace(f"t{number}", at=NOW + number * SECOND)
    for version in range(9):
        await project.trace("t3", part=f"v{version}", at=NOW + 3 * SECOND, name=f"v{version}")
        await aggregate_round(project.clickhouse, quiet_s=0)
    assert await project.ids("/traces", limit=2) == ["t3", "t2"]
    page = await project.get("/traces", limit=2, page=2)
    assert [row["id"] for row in page["data"]] == ["t1", "t0"]
    assert page["meta"]["totalItems"] == 4
    assert await project.ids("/traces", limit=2, page=3) == []


async def test_a_page_by_time_heeds_its_bounds_once_all_is_folded(project: Project) -> None:
    for number in range(6):
        await project.trace(f"t{number}", at=NOW + number * SECOND)
    await aggregate_round(project.clickhouse, quiet_s=0)
    page = await project.get(
        "/traces",
        limit=2,
        fromTimestamp="2025-11-23T10:50:01Z",
        toTimestamp="2025-11-23T10:50:04Z",
    )
    assert ([row["id"] for row in page["data"]], page["meta"]["totalItems"]) == (["t3", "t2"], 3)
