"""GET /metrics, /v2/metrics and /metrics/daily."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.storage.clickhouse import time_slices
from appliance.storage.clickhouse.traces.time_bounds import MINUTE
from tests.integration.read.conftest import NOW, SECOND, Project

HOUR = 3600 * SECOND
RANGE = {"fromTimestamp": "2025-11-23T10:00:00Z", "toTimestamp": "2025-11-23T14:59:59Z"}


def ask(view: str, *metrics: str, by: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    pairs = [metric.partition("_") for metric in metrics]
    return {
        "view": view,
        "metrics": [{"aggregation": how, "measure": measure} for how, _, measure in pairs],
        "dimensions": [{"field": name} for name in by],
        **RANGE,
        **more,
    }


async def rows(project: Project, question: dict[str, Any], version: str = "") -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = (await project.get(f"{version}/metrics", query=question))["data"]
    return data


async def seed(project: Project) -> None:
    for number in range(4):
        at = NOW + number * HOUR
        for _ in range(2):
            await project.observation(
                f"t{number}",
                "llm",
                at=at,
                type="GENERATION",
                name="llm",
                model="gpt-4o" if number % 2 else "small",
                level="ERROR" if number == 3 else "DEFAULT",
                end_time=at + (number + 1) * SECOND,
                completion_start_time=at + SECOND // 2,
                usage_details={"input": 10, "input_cached": 5, "output": 20, "total": 35},
                cost_details={"input": 0.1, "total": 0.25},
                total_cost=0.25,
                tool_definitions={"search": "{}", "read": "{}"},
            )
        await project.observation(f"t{number}", "root", at=at, name="root", end_time=at + 10 * SECOND)
        await project.trace(f"t{number}", at=at, name="chat", user_id=f"u{number % 2}", tags=["x"], session_id="s")
    await project.score("s1", trace_id="t0", value=0.5, observation_id="llm")
    await project.score("s2", at=NOW + HOUR, trace_id="t1", value=1)
    await project.score("s3", trace_id="t1", data_type="CATEGORICAL", name="tone", string_value="ok")
    await project.score("s4", trace_id="t1", data_type="BOOLEAN", name="right", value=1, string_value="True")


async def test_totals_without_dimensions(project: Project) -> None:
    await seed(project)
    (row,) = await rows(
        project,
        ask(
            "observations", "count_count", "sum_totalCost", "sum_inputTokens", "sum_totalTokens", "max_timeToFirstToken"
        ),
    )
    assert row == {
        "count_count": 8,
        "sum_totalCost": 1.0,
        "sum_inputTokens": 60,
        "sum_totalTokens": 140,
        "max_timeToFirstToken": 500.0,
    }


@pytest.mark.parametrize("by", [(), ("name",), ("userId",), ("level",)])
async def test_pieces_of_a_range_add_up_to_it(
    project: Project, monkeypatch: pytest.MonkeyPatch, by: tuple[str, ...]
) -> None:
    await seed(project)
    for number in range(60):  # two versions each, in one minute, and some taken away
        at = NOW + number * 97 * SECOND
        start = at - at % MINUTE
        await project.observation("t9", f"o{number}", at=start + 50 * SECOND, level="ERROR", total_cost=1.0)
        moved: dict[str, Any] = {"event_ts": at + HOUR, "total_cost": 0.5, "is_deleted": int(number % 7 == 0)}
        await project.observation("t9", f"o{number}", at=start + 5 * SECOND, **moved)
    question = ask("observations", "count_count", "sum_totalCost", by=by)
    filtered = [{"type": "string", "column": "level", "operator": "=", "value": "DEFAULT"}]

    async def answers() -> list[list[dict[str, Any]]]:
        found = [await rows(project, question), await rows(project, question | {"filters": filtered})]
        return [sorted(each, key=str) for each in found]  # rows that count the same come in any order

    whole = await answers()
    monkeypatch.setattr(time_slices, "ROWS_PER_SLICE", 1)
    assert await answers() == whole
    assert sum(row["count_count"] for row in whole[0]) == 8 + 51


async def test_traces_with_latency_and_users(project: Project) -> None:
    await seed(project)
    metrics = (
        "count_count",
        "sum_observationsCount",
        "uniq_uniqueUserIds",
        "p50_latency",
        "sum_totalCost",
        "sum_scoresCount",
    )
    (row,) = await rows(project, ask("traces", *metrics, by=("name",)))
    assert row == {
        "name": "chat",
        "count_count": 4,
        "sum_observationsCount": 8,
        "uniq_uniqueUserIds": 2,
        "p50_latency": 10_000.0,
        "sum_totalCost": 1.0,
        "sum_scoresCount": 4,
    }


async def test_models_over_time_with_gaps_filled(project: Project) -> None:
    await seed(project)
    only = [{"type": "string", "column": "type", "operator": "=", "value": "GENERATION"}]
    question = ask(
        "observations", "sum_totalCost", by=("providedModelName",), filters=only, timeDimension={"granularity": "hour"}
    )
    assert [tuple(row.values()) for row in await rows(project, question)] == [
        ("2025-11-23T10:00:00Z", "small", 0.25),
        ("2025-11-23T11:00:00Z", "gpt-4o", 0.25),
        ("2025-11-23T12:00:00Z", "small", 0.25),
        ("2025-11-23T13:00:00Z", "gpt-4o", 0.25),
        ("2025-11-23T14:00:00Z", None, 0.0),
    ]


@pytest.mark.parametrize(
    ("granularity", "first", "count"),
    [
        ("auto", "2025-11-23T10:00:00Z", 5),
        ("minute", "2025-11-23T10:00:00Z", 300),
        ("day", "2025-11-23", 1),
        ("week", "2025-11-17", 1),
        ("month", "2025-11-01", 1),
    ],
)
async def test_granularities(project: Project, granularity: str, first: str, count: int) -> None:
    await seed(project)
    found = await rows(project, ask("traces", "count_count", timeDimension={"granularity": granularity}))
    assert found[0]["time_dimension"] == first and len(found) == count
    assert sum(row["count_count"] for row in found) == 4


async def test_percentiles_order_and_limit(project: Project) -> None:
    await seed(project)
    question = ask(
        "observations",
        "p95_latency",
        by=("name",),
        orderBy=[{"field": "p95_latency", "direction": "asc"}],
        config={"row_limit": 1},
    )
    (row,) = await rows(project, question)
    assert row["name"] == "llm" and 3_500 < row["p95_latency"] <= 4_000


async def test_dimensions_of_the_trace_and_of_tools(project: Project) -> None:
    await seed(project)
    order = [{"field": "userId", "direction": "asc"}]
    found = await rows(project, ask("observations", "count_count", by=("userId", "tags", "traceName"), orderBy=order))
    assert found == [
        {"userId": "u0", "tags": ["x"], "traceName": "chat", "count_count": 4},
        {"userId": "u1", "tags": ["x"], "traceName": "chat", "count_count": 4},
    ]
    tools = await rows(project, ask("observations", "count_count", by=("toolNames",)))
    assert {row["toolNames"]: row["count_count"] for row in tools} == {"search": 4, "read": 4}
    (counted,) = await rows(project, ask("observations", "sum_countScores"))
    assert counted["sum_countScores"] == 1


async def test_scores(project: Project) -> None:
    await seed(project)
    numeric = await rows(
        project, ask("scores-numeric", "avg_value", "count_count", by=("name", "traceName", "observationName"))
    )
    assert {(row["name"], row["observationName"]): row["avg_value"] for row in numeric} == {
        ("quality", "llm"): 0.5,
        ("quality", None): 1.0,
        ("right", None): 1.0,
    }
    assert await rows(project, ask("scores-categorical", "count_count", by=("stringValue",))) == [
        {"stringValue": "ok", "count_count": 1}
    ]
    assert await rows(project, ask("scores-boolean", "count_count", by=("booleanValue",))) == [
        {"booleanValue": True, "count_count": 1}
    ]
    (histogram,) = await rows(project, ask("scores-numeric", "histogram_value", config={"bins": 2}))
    assert len(histogram["histogram_value"]) == 2 and len(histogram["histogram_value"][0]) == 3


async def test_filters(project: Project) -> None:
    await seed(project)
    level = {"type": "string", "column": "level", "operator": "=", "value": "ERROR"}
    user = {"type": "stringOptions", "column": "userId", "operator": "any of", "value": ["u1"]}
    for view, filters, count in (
        ("observations", [level], 1),
        ("observations", [user], 4),
        ("traces", [level], 1),
        ("traces", [user], 2),
        ("scores-numeric", [user], 2),
    ):
        (row,) = await rows(project, ask(view, "count_count", filters=filters))
        assert row["count_count"] == count, view


async def test_refusals(project: Project) -> None:
    await seed(project)
    questions = [
        ask("nothing", "count_count"),
        ask("traces", "median_latency"),
        ask("traces", "avg_uniqueUserIds"),
        ask("traces", "count_nothing"),
        ask("traces", "count_count", by=("nothing",)),
        ask("traces", "count_count", orderBy=[{"field": "name", "direction": "asc"}]),
        ask("traces"),
        ask("traces", "count_count", config={"row_limit": 1001}),
        ask("traces", "count_count", fromTimestamp="yesterday"),
        {"view": "traces"},
    ]
    for question in questions:
        assert (await project.answer("/metrics", query=question)).status_code == 400, question
    assert (await project.answer("/metrics")).status_code == 400
    assert (await project.answer("/v2/metrics", query=ask("traces", "count_count"))).status_code == 400
    wide = ask("observations", "count_count", by=("userId",))
    assert (await project.answer("/v2/metrics", query=wide)).status_code == 400
    bounded = wide | {"config": {"row_limit": 1}, "orderBy": [{"field": "count_count", "direction": "desc"}]}
    assert len(await rows(project, bounded, "/v2")) == 1


async def test_daily(project: Project) -> None:
    await seed(project)
    page = await project.get("/metrics/daily", traceName="chat", userId="u1")
    (day,) = page["data"]
    assert (day["date"], day["countTraces"], day["countObservations"], day["totalCost"]) == ("2025-11-23", 2, 4, 0.5)
    assert day["usage"][0] == {
        "model": "gpt-4o",
        "inputUsage": 30,
        "outputUsage": 40,
        "totalUsage": 70,
        "totalCost": 0.5,
        "countObservations": 2,
        "countTraces": 2,
    }
    assert page["meta"]["totalItems"] == 1


async def test_daily_counts_far_years(project: Project) -> None:
    await project.observation("far", "step", at=7_258_118_400 * SECOND)
    assert [day["date"] for day in (await project.get("/metrics/daily"))["data"]] == ["2200-01-01"]


@pytest.mark.parametrize("granularity", ["hour", "day", "week", "month", "auto"])
async def test_a_range_may_reach_far_beyond_all_data(project: Project, granularity: str) -> None:
    await seed(project)
    far = {"fromTimestamp": "2025-11-01T00:00:00z", "toTimestamp": "9999-12-31T23:59:59Z"}
    found = await rows(project, ask("observations", "count_count", timeDimension={"granularity": granularity}) | far)
    assert sum(row["count_count"] for row in found) == 8
    assert len({row["time_dimension"] for row in found}) == len(found) > 1_000
