"""GET /api/local/traces/{traceId}/tree."""

from __future__ import annotations

from tests.integration.read.conftest import NOW, SECOND, Project


async def test_rows_are_narrow_and_the_oldest_comes_first(project: Project) -> None:
    await project.observation(
        "t/1",
        "b",
        at=NOW + SECOND,
        end_time=NOW + 2 * SECOND,
        parent_id="a",
        type="GENERATION",
        name="answer",
        model="gpt-4o",
        usage_details={"input": 10, "total": 10},
        total_cost=0.5,
        input="long",
    )
    await project.observation("t/1", "a", name="root", is_root=True)
    await project.observation("t2", "c")
    first, second = await project.tree("t/1")
    said = {"environment": "default", "level": "DEFAULT"}
    assert first == said | {"id": "a", "startTime": "2025-11-23T10:50:00.000000Z", "type": "SPAN", "name": "root"}
    assert second == said | {
        "id": "b",
        "startTime": "2025-11-23T10:50:01.000000Z",
        "endTime": "2025-11-23T10:50:02.000000Z",
        "parentObservationId": "a",
        "type": "GENERATION",
        "name": "answer",
        "providedModelName": "gpt-4o",
        "usageDetails": {"input": 10, "total": 10},
        "totalCost": 0.5,
    }


async def test_an_observation_written_again_counts_once(project: Project) -> None:
    await project.observation("t1", "a", name="draft")
    await project.observation("t1", "a", name="final", event_ts=NOW + SECOND)
    assert [row["name"] for row in await project.tree("t1")] == ["final"]


async def test_parts_and_an_unknown_trace(project: Project) -> None:
    for index in range(5):
        await project.observation("t1", f"o{index}", at=NOW + index)
    assert [row["id"] for row in await project.tree("t1", limit=2, offset=3)] == ["o3", "o4"]
    assert await project.tree("nothing") == []
