"""GET /observations, /observations/{id} and /v2/observations."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.model.price_table import built_in_models
from appliance.storage.clickhouse.stored import Stored
from tests.integration.read.conftest import NOW, SECOND, Project


async def seed(project: Project) -> None:
    await project.observation("t1", "o1", name="root", is_root=True, end_time=NOW + 5 * SECOND)
    await project.observation(
        "t1",
        "o2",
        at=NOW + SECOND,
        parent_id="o1",
        type="GENERATION",
        name="llm",
        level="WARNING",
        model="gpt-4o",
        model_id="m1",
        end_time=NOW + 3 * SECOND,
        completion_start_time=NOW + 2 * SECOND,
        usage_details={"input": 10, "output": 40, "total": 50},
        cost_details={"input": 0.00001, "output": 0.0004, "total": 0.00041},
        total_cost=0.00041,
        input="Say the secret word",
        output='{"a": 1}',
        metadata={"long": "x" * 300, "tenant": "t7"},
        tool_definitions={"search": "{}"},
        tool_call_names=["search"],
        prompt_name="greet",
        prompt_version=3,
    )
    await project.observation("t2", "o3", at=NOW + 2 * SECOND, parent_id="x", is_app_root=True, environment="prod")
    await project.trace("t1", name="chat", user_id="alice", session_id="s1", tags=["a"])
    await project.trace("t2", at=NOW + 2 * SECOND)


async def test_list_is_newest_first_and_pages(project: Project) -> None:
    await seed(project)
    page = await project.get("/observations", limit=2)
    assert [row["id"] for row in page["data"]] == ["o3", "o2"]
    assert page["meta"] == {"page": 1, "limit": 2, "totalItems": 3, "totalPages": 2}
    assert await project.ids("/observations", limit=2, page=2) == ["o1"]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"type": "GENERATION"}, ["o2"]),
        ({"name": "root"}, ["o1"]),
        ({"userId": "alice"}, ["o2", "o1"]),
        ({"level": "WARNING"}, ["o2"]),
        ({"traceId": "t1"}, ["o2", "o1"]),
        ({"parentObservationId": "o1"}, ["o2"]),
        ({"environment": ["prod", "none"]}, ["o3"]),
        ({"fromStartTime": "2025-11-23T10:50:01Z", "toStartTime": "2025-11-23T10:50:02Z"}, ["o2"]),
    ],
)
async def test_simple_parameters(project: Project, params: dict[str, Any], expected: list[str]) -> None:
    await seed(project)
    assert await project.ids("/observations", **params) == expected
    assert await project.ids("/v2/observations", **params) == expected


FILTERS = [
    ({"type": "number", "column": "latency", "operator": ">", "value": 2.5}, ["o1"]),
    ({"type": "number", "column": "timeToFirstToken", "operator": "=", "value": 1}, ["o2"]),
    ({"type": "number", "column": "tokensPerSecond", "operator": "=", "value": 20}, ["o2"]),
    ({"type": "number", "column": "inputTokens", "operator": "=", "value": 10}, ["o2"]),
    ({"type": "number", "column": "totalCost", "operator": "<", "value": 0.01}, ["o2"]),
    ({"type": "string", "column": "model", "operator": "starts with", "value": "gpt"}, ["o2"]),
    ({"type": "stringObject", "column": "metadata", "key": "tenant", "operator": "=", "value": "t7"}, ["o2"]),
    (
        {"type": "stringObject", "column": "metadata", "key": "tenant", "operator": "is not set", "value": ""},
        ["o3", "o1"],
    ),
    ({"type": "string", "column": "input", "operator": "matches", "value": "SECRET"}, ["o2"]),
    ({"type": "string", "column": "input", "operator": "contains", "value": "secret w"}, ["o2"]),
    ({"type": "arrayOptions", "column": "toolNames", "operator": "any of", "value": ["search"]}, ["o2"]),
    ({"type": "number", "column": "toolCalls", "operator": ">=", "value": 1}, ["o2"]),
    ({"type": "arrayOptions", "column": "tags", "operator": "any of", "value": ["a"]}, ["o2", "o1"]),
    ({"type": "string", "column": "traceName", "operator": "=", "value": "chat"}, ["o2", "o1"]),
    ({"type": "string", "column": "sessionId", "operator": "=", "value": "s1"}, ["o2", "o1"]),
    ({"type": "number", "column": "promptVersion", "operator": "=", "value": 3}, ["o2"]),
    ({"type": "null", "column": "endTime", "operator": "is null", "value": ""}, ["o3"]),
    ({"type": "boolean", "column": "isRootObservation", "operator": "=", "value": True}, ["o3", "o1"]),
]


@pytest.mark.parametrize(("condition", "expected"), FILTERS)
async def test_filters(project: Project, condition: dict[str, object], expected: list[str]) -> None:
    await seed(project)
    assert await project.ids("/observations", filter=[condition]) == expected
    assert (await project.get("/observations", filter=[condition]))["meta"]["totalItems"] == len(expected)


async def test_newest_version_of_a_row_wins(project: Project) -> None:
    await project.observation("t1", "o1", name="before", level="ERROR")
    await project.observation("t1", "o1", name="after", event_ts=NOW + SECOND)
    (row,) = (await project.get("/observations"))["data"]
    assert row["name"] == "after"
    assert (await project.get("/observations/o1"))["name"] == "after"
    assert await project.ids("/observations", name="before") == []


async def test_a_page_is_full_even_when_most_of_the_newest_rows_are_old_versions(project: Project) -> None:
    await project.observation("t1", "o1", level="ERROR")
    await project.observation("t1", "o2", at=NOW + SECOND, level="ERROR", versions=150)
    await project.observation("t1", "o3", at=NOW + 2 * SECOND, level="ERROR", versions=150)
    await project.observation("t1", "o3", at=NOW + 2 * SECOND, level="DEFAULT", event_ts=NOW + 9 * SECOND)
    assert await project.ids("/observations", limit=2) == ["o3", "o2"]
    assert await project.ids("/observations", limit=3) == ["o3", "o2", "o1"]
    assert await project.ids("/observations", limit=2, level="ERROR") == ["o2", "o1"]
    assert await project.ids("/observations", limit=1, page=2, level="ERROR") == ["o1"]
    assert await project.ids("/observations", limit=2, level="WARNING") == []


async def test_prices_are_those_of_the_matched_tier(project: Project) -> None:
    model = built_in_models()[0]
    tier = model.pricing_tiers[0]
    await project.observation("t1", "o1", model_id=model.id, pricing_tier_id=tier.id)
    found = await project.get("/observations/o1")
    assert [found[f"{kind}Price"] for kind in ("input", "output", "total")] == [
        tier.prices.get(kind) for kind in ("input", "output", "total")
    ]


async def test_unknown_observation_is_404(project: Project) -> None:
    assert await project.refused("/observations/none") == (404, "Observation not found within authorized project")


async def test_v2_walks_by_cursor_over_equal_starts(project: Project) -> None:
    for number in range(7):
        await project.observation(f"t{number % 3}", f"o{number}")
    seen: list[str] = []
    params: dict[str, Any] = {"limit": 3}
    for _ in range(3):
        page = await project.get("/v2/observations", **params)
        seen += [row["id"] for row in page["data"]]
        if "cursor" in page["meta"]:
            params["cursor"] = page["meta"]["cursor"]
    assert sorted(seen) == [f"o{number}" for number in range(7)] and "cursor" not in page["meta"]
    assert (await project.answer("/v2/observations", cursor="broken")).status_code == 400


async def test_v2_answers_only_the_groups_asked_for(project: Project) -> None:
    await seed(project)
    row = (await project.get("/v2/observations", traceId="t1", type="GENERATION"))["data"][0]
    assert "input" not in row and "usageDetails" not in row and row["userId"] == "alice"
    assert (row["modelId"], row["inputPrice"], row["isRootObservation"]) == (None, None, False)
    everything = "core,basic,time,io,metadata,model,usage,prompt,metrics,trace_context,unknown"
    row = (await project.get("/v2/observations", fields=everything, name="llm"))["data"][0]
    assert row["input"] == "Say the secret word" and row["output"] == '{"a": 1}'
    assert row["model"] == row["providedModelName"] == "gpt-4o" and row["inputPrice"] == "0.000001"
    assert row["metadata"]["long"] == "x" * 200 and row["metadata"]["tenant"] == "t7"
    assert row["latency"] == 2.0 and row["traceName"] == "chat" and row["tags"] == ["a"] and row["promptVersion"] == 3
    row = (await project.get("/v2/observations", fields="metadata", expandMetadata="long", name="llm"))["data"][0]
    assert row["metadata"]["long"] == "x" * 300
    assert (await project.answer("/v2/observations", parseIoAsJson="true")).status_code == 400
    assert (await project.answer("/v2/observations", limit=1001)).status_code == 400
    assert await project.ids("/v2/observations", limit=0) == []
    assert await project.ids("/v2/observations", isRootObservation="true") == ["o3", "o1"]
    assert await project.ids("/v2/observations?parentObservationId=") == ["o1"]


async def test_the_root_of_a_bookmarked_trace_is_bookmarked(project: Project) -> None:
    await seed(project)
    await project.trace("t1", part="later", at=NOW + SECOND, bookmarked=True)
    page = await project.get("/v2/observations")
    assert {row["id"]: row["bookmarked"] for row in page["data"]} == {"o1": True, "o2": False, "o3": False}


async def test_what_was_taken_away_is_not_read(project: Project) -> None:
    await seed(project)
    await project.observation("t1", "o2", at=NOW + SECOND, event_ts=NOW + 9 * SECOND, is_deleted=1)
    assert await project.ids("/observations") == ["o3", "o1"]
    assert [row["id"] for row in (await project.get("/traces/t1"))["observations"]] == ["o1"]
    assert (await project.answer("/observations/o2")).status_code == 404
    assert await Stored(project.clickhouse).observations({(project.id, "o2"): None}) == {}


async def test_what_is_stored_is_read_whole(project: Project) -> None:
    await project.observation("t1", "o1", experiment={"id": "e1"}, name="step")
    stored = await Stored(project.clickhouse).observations({(project.id, "o1"): None})
    assert stored[project.id, "o1"].experiment == {"id": "e1"}
