"""GET /traces and /traces/{id}."""

from __future__ import annotations

import pytest

from appliance.config import ClickHouseSettings
from appliance.model.traces import ROOT_WEIGHT
from appliance.storage.clickhouse import search
from appliance.storage.clickhouse.client import ClickHouse
from tests.integration.read.conftest import NOW, SECOND, Project


async def test_a_trace_without_root_has_the_texts_of_its_topmost_span(project: Project) -> None:
    for number, at in enumerate((NOW, NOW + 3600 * SECOND)):
        await project.observation("t1", f"o{number}", at=at, parent_id="http", input=f"i{number}", output=f"o{number}")
        await project.trace("t1", part=f"s:o{number}", at=at, name=f"n{number}", name_rank=1, weight=-at)
    await project.trace("t2", name="other", input="own")

    both = [await project.get("/traces/t1"), await project.get("/traces/t1", fields="core,io")]
    listed = {row["id"]: row for row in (await project.get("/traces"))["data"]}
    for trace in (*both, listed["t1"]):
        assert (trace["name"], trace["input"], trace["output"]) == ("n0", "i0", "o0")
    assert (listed["t2"]["input"], listed["t2"]["output"]) == ("own", None)
    assert await project.ids("/traces", name="n0") == ["t1"]

    await project.trace("t1", part="r:root", is_root=True, weight=ROOT_WEIGHT - NOW, name_rank=1, name="root")
    trace = await project.get("/traces/t1")
    assert (trace["name"], trace["input"], trace["output"]) == ("root", None, None)


async def test_ids_of_opentelemetry_are_found_in_capitals(project: Project) -> None:
    trace, span = "ab" * 16, "cd" * 8
    await project.trace(trace)
    await project.observation(trace, span)
    await project.observation(trace, "o2", parent_id=span)
    await project.score("s1", trace_id=trace, observation_id=span)
    await project.trace("EF" * 16, name="stored in capitals")

    assert (await project.get(f"/traces/{trace.upper()}"))["id"] == trace
    assert (await project.get(f"/observations/{span.upper()}"))["id"] == span
    assert len(await project.tree(trace.upper())) == 2
    for path in ("/observations", "/v2/observations"):
        assert sorted(await project.ids(path, traceId=trace.upper())) == [span, "o2"]
        assert await project.ids(path, parentObservationId=span.upper()) == ["o2"]
    for path in ("/v2/scores", "/v3/scores"):
        assert await project.ids(path, traceId=trace.upper()) == ["s1"]
    condition = {"type": "string", "column": "traceId", "operator": "=", "value": trace.upper()}
    assert sorted(await project.ids("/observations", filter=[condition])) == [span, "o2"]
    assert (await project.get(f"/traces/{'EF' * 16}"))["name"] == "stored in capitals"
    assert (await project.answer(f"/traces/{'CD' * 16}")).status_code == 404


async def test_a_trace_comes_back_whole(project: Project) -> None:
    await project.observation(
        "t1",
        "o1",
        name="llm",
        type="GENERATION",
        end_time=NOW + 2 * SECOND,
        completion_start_time=NOW + SECOND // 2,
        input='{"big": 12345678901234567890123}',
        output="plain text",
        metadata={"count": "12", "tag": '"12"', "nested": '{"a": [1]}', "empty": ""},
        model="gpt-4o",
        model_id="m1",
        model_parameters='{"temperature":"0.9"}',
        usage_details={"input": 10, "input_cached": 5, "output": 20, "total": 35},
        cost_details={"input": 0.001, "output": 0.004, "total": 0.005},
        total_cost=0.005,
        is_root=True,
    )
    await project.observation("t1", "o2", at=NOW + SECOND, parent_id="o1", level="ERROR", status_message="broken")
    await project.trace("t1", name="chat", user_id="alice", tags=["b", "a"], input="123", metadata={"k": "true"})
    await project.score("s1", trace_id="t1", observation_id="o2", value=0.123456789, metadata={"n": "[1, 2]"})
    await project.score("s2", trace_id="t1", data_type="CORRECTION", name="output", long_string_value="better")

    trace = await project.get("/traces/t1")
    assert trace["name"] == "chat" and trace["userId"] == "alice" and trace["tags"] == ["a", "b"]
    assert trace["externalId"] is None and trace["htmlPath"] == f"/project/{project.id}/traces/t1"
    assert trace["input"] == 123 and trace["output"] is None and trace["metadata"] == {"k": True}
    assert trace["timestamp"] == "2025-11-23T10:50:00.000Z"
    assert trace["latency"] == 2.0 and trace["totalCost"] == 0.005
    first, second = trace["observations"]
    assert first["latency"] == 2.0 and first["timeToFirstToken"] == 0.5
    assert first["usage"] == {"unit": "TOKENS", "input": 15, "output": 20, "total": 35}
    assert first["promptTokens"] == 15 and first["completionTokens"] == 20 and first["totalTokens"] == 35
    assert first["calculatedInputCost"] == 0.001 and first["calculatedTotalCost"] == 0.005
    assert first["inputPrice"] == 0.0001
    assert first["metadata"] == {"count": 12, "tag": "12", "nested": {"a": [1]}, "empty": ""}
    assert first["output"] == "plain text" and first["modelParameters"] == {"temperature": "0.9"}
    assert second["level"] == "ERROR" and second["parentObservationId"] == "o1" and second["endTime"] is None
    assert second["calculatedInputCost"] is None and second["latency"] is None
    (score,) = trace["scores"]
    assert score["value"] == 0.123456789 and score["observationId"] == "o2" and score["metadata"] == {"n": [1, 2]}

    (item,) = (await project.get("/traces"))["data"]
    assert item["observations"] == ["o1", "o2"] and item["scores"] == ["s1"]
    assert item["latency"] == 2.0 and item["totalCost"] == 0.005 and item["input"] == 123


async def test_an_unknown_trace_is_404(project: Project) -> None:
    answer = await project.answer("/traces/nothing%2Fhere")
    assert answer.status_code == 404
    assert answer.json() == {
        "message": "Trace nothing/here not found within authorized project",
        "error": "LangfuseNotFoundError",
    }


async def test_groups_that_were_not_asked_for_are_placeholders(project: Project) -> None:
    await project.observation("t1", "o1", end_time=NOW + SECOND)
    await project.trace("t1", input="in", metadata={"k": "v"})
    (item,) = (await project.get("/traces", fields="core,nonsense"))["data"]
    assert (item["input"], item["metadata"], item["observations"], item["scores"]) == (None, {}, [], [])
    assert (item["latency"], item["totalCost"]) == (-1, -1)
    detail = await project.get("/traces/t1", fields="core,metrics")
    assert detail["latency"] == 1.0 and detail["observations"] == []


async def test_parts_merge_and_redelivery_changes_nothing(project: Project) -> None:
    for _ in range(2):
        await project.trace("t1", part="a", at=NOW, name="first", user_id="alice", tags=["x"], metadata={"a": "1"})
        await project.trace(
            "t1", part="b", at=NOW + SECOND, user_id="bob", tags=["y"], metadata={"a": "2"}, public=True
        )
        await project.observation("t1", "o1", total_cost=0.25)
    page = await project.get("/traces")
    (item,) = page["data"]
    assert page["meta"] == {"page": 1, "limit": 50, "totalItems": 1, "totalPages": 1}
    assert item["userId"] == "bob" and item["name"] == "first" and item["tags"] == ["x", "y"] and item["public"]
    assert item["metadata"] == {"a": 2} and item["timestamp"] == "2025-11-23T10:50:00.000Z"
    assert item["observations"] == ["o1"] and item["totalCost"] == 0.25
    assert await project.ids("/traces", userId="alice") == []
    assert await project.ids("/traces", userId="bob", tags="x,y") == ["t1"]
    by_metadata = {"type": "stringObject", "column": "metadata", "key": "a", "operator": "=", "value": "2"}
    assert await project.ids("/traces", filter=[by_metadata]) == ["t1"]
    assert await project.ids("/traces", filter=[by_metadata | {"value": "1"}]) == []


async def test_pages_are_in_order_of_the_first_part(project: Project) -> None:
    for number in range(7):
        await project.trace(f"t{number}", at=NOW + number * SECOND, name=f"n{6 - number}")
    await project.trace("t2", part="late", at=NOW + 5 * 86_400 * SECOND, user_id="late")
    assert await project.ids("/traces", limit=3) == ["t6", "t5", "t4"]
    assert await project.ids("/traces", limit=3, page=2) == ["t3", "t2", "t1"]
    assert await project.ids("/traces", limit=3, page=3) == ["t0"]
    assert await project.ids("/traces", limit=2, page=9) == []
    assert await project.ids("/traces", orderBy="timestamp.asc", limit=2) == ["t0", "t1"]
    assert await project.ids("/traces", orderBy="name.asc", limit=2) == ["t6", "t5"]
    meta = (await project.get("/traces", limit=3))["meta"]
    assert (meta["totalItems"], meta["totalPages"]) == (7, 3)


async def test_time_bounds_include_the_start_and_exclude_the_end(project: Project) -> None:
    for number in range(4):
        await project.trace(f"t{number}", at=NOW + number * SECOND)
    bounds = {"fromTimestamp": "2025-11-23T10:50:01Z", "toTimestamp": "2025-11-23T12:50:03+02:00"}
    page = await project.get("/traces", **bounds)
    assert [row["id"] for row in page["data"]] == ["t2", "t1"] and page["meta"]["totalItems"] == 2
    assert await project.ids("/traces", limit=1, page=2, **bounds) == ["t1"]


FILTERS = [
    ({"type": "string", "column": "name", "operator": "contains", "value": "ag"}, ["a"]),
    ({"type": "stringOptions", "column": "Name", "operator": "none of", "value": ["agent"]}, ["b", "c"]),
    ({"type": "arrayOptions", "column": "tags", "operator": "any of", "value": ["x", "z"]}, ["a"]),
    ({"type": "arrayOptions", "column": "traceTags", "operator": "all of", "value": ["x", "y"]}, ["a"]),
    ({"type": "arrayOptions", "column": "Tags", "operator": "none of", "value": ["x"]}, ["b", "c"]),
    ({"type": "string", "column": "level", "operator": "=", "value": "ERROR"}, ["a"]),
    ({"type": "number", "column": "errorCount", "operator": ">", "value": 0}, ["a"]),
    ({"type": "number", "column": "latency", "operator": ">=", "value": 2}, ["a"]),
    ({"type": "number", "column": "totalCost", "operator": ">", "value": 0.01}, ["b"]),
    ({"type": "number", "column": "tokens", "operator": ">", "value": 100}, ["b"]),
    ({"type": "arrayOptions", "column": "model", "operator": "any of", "value": ["gpt-4o"]}, ["b"]),
    ({"type": "null", "column": "userId", "operator": "is null", "value": ""}, ["b", "c"]),
    ({"type": "null", "column": "userId", "operator": "is not null", "value": ""}, ["a"]),
    ({"type": "numberObject", "column": "scores_avg", "key": "quality", "operator": "<", "value": 0.5}, ["a"]),
    ({"type": "categoryOptions", "column": "scores", "key": "tone", "operator": "any of", "value": ["ok"]}, ["b"]),
    ({"type": "booleanObject", "column": "score_booleans", "key": "right", "operator": "=", "value": True}, ["b"]),
    (
        {"type": "booleanObject", "column": "score_booleans", "key": "right", "operator": "<>", "value": True},
        ["a", "c"],
    ),
    ({"type": "string", "column": "search", "operator": "contains", "value": "refund policy"}, ["b"]),
    ({"type": "stringOptions", "column": "environment", "operator": "any of", "value": ["default"]}, ["a", "c"]),
    ({"type": "boolean", "column": "public", "operator": "=", "value": True}, ["b"]),
    ({"type": "datetime", "column": "timestamp", "operator": ">", "value": "2025-11-23T10:50:00Z"}, []),
]


@pytest.mark.parametrize(("condition", "expected"), FILTERS)
async def test_filters(project: Project, condition: dict[str, object], expected: list[str]) -> None:
    await project.observation("a", "o1", level="ERROR", end_time=NOW + 2 * SECOND)
    await project.observation(
        "b", "o1", total_cost=0.5, usage_details={"total": 200}, model="gpt-4o", input="The Refund policy is"
    )
    await project.trace("a", name="agent", user_id="alice", tags=["x", "y"])
    await project.trace("b", name="chat", environment="prod", public=True)
    await project.trace("c")
    await project.score("s1", trace_id="a", value=0.2)
    await project.score("s2", trace_id="a", value=0.4)
    await project.score("s3", trace_id="b", data_type="CATEGORICAL", name="tone", string_value="ok")
    await project.score("s4", trace_id="b", data_type="BOOLEAN", name="right", value=1, string_value="True")
    page = await project.get("/traces", filter=[condition])
    assert sorted(row["id"] for row in page["data"]) == expected
    assert page["meta"]["totalItems"] == len(expected)


async def test_refusals_say_what_is_wrong(project: Project) -> None:
    assert await project.refused("/traces", orderBy="cost.asc") == (400, "Invalid order by column: cost")
    assert (await project.answer("/traces?filter=%5B")).json()["message"] == "Invalid JSON in filter parameter"
    wrong = {"type": "string", "column": "nope", "operator": "=", "value": "x"}
    assert await project.refused("/traces", filter=[wrong]) == (
        400,
        "Column nope does not match a UI / CH table mapping.",
    )
    misfit = {"type": "number", "column": "name", "operator": "=", "value": 1}
    status, message = await project.refused("/traces", filter=[misfit])
    assert status == 400 and message.startswith("Invalid filter type")
    assert (await project.answer("/traces", limit=101)).status_code == 400


async def test_filter_wins_over_the_parameter_of_the_same_column(project: Project) -> None:
    await project.trace("a", name="one", user_id="u")
    await project.trace("b", name="two", user_id="u")
    condition = {"type": "string", "column": "name", "operator": "=", "value": "two"}
    assert await project.ids("/traces", name="one", userId="u", filter=[condition]) == ["b"]


async def test_values_reach_the_server_unharmed(project: Project) -> None:
    name = "it's \"a\"\t\\ 'weird' {p0:String} ünïcode\nname"
    await project.trace("t/1?ü", name=name, tags=["a'b", "c\\d"])
    assert await project.ids("/traces", name=name) == ["t/1?ü"]
    tagged = {"type": "arrayOptions", "column": "tags", "operator": "all of", "value": ["a'b", "c\\d"]}
    assert await project.ids("/traces", filter=[tagged]) == ["t/1?ü"]
    assert (await project.get("/traces/t%2F1%3F%C3%BC"))["name"] == name


async def test_any_year_may_be_asked_for(project: Project) -> None:
    lists = (("/traces", "fromTimestamp"), ("/observations", "fromStartTime"), ("/v2/scores", "fromTimestamp"))
    for path, name in lists:
        for year in ("0001", "0999", "9999"):
            assert (await project.get(path, **{name: f"{year}-01-01T00:00:00Z"}))["data"] == []


async def test_a_long_query_is_waited_for_while_the_server_answers(tables: ClickHouseSettings) -> None:
    clickhouse = ClickHouse(tables)
    found: list[dict[str, int]] = await clickhouse.rows("SELECT sleep(1.5) AS slept", {}, dict)
    await clickhouse.close()
    assert found == [{"slept": 0}]


@pytest.mark.parametrize(("few_rows", "few_traces"), [(3000, 2000), (3000, 0), (0, 0)])
async def test_words_are_found_wherever_they_were_said(
    project: Project, monkeypatch: pytest.MonkeyPatch, few_rows: int, few_traces: int
) -> None:
    monkeypatch.setattr(search, "FEW_ROWS", few_rows)
    monkeypatch.setattr(search, "FEW_TRACES", few_traces)
    await project.observation("a", "o1", input="The Refund policy is", metadata={"note": "urgent-matter"})
    await project.observation("b", "o1", at=NOW + SECOND, output="policy of no refund")
    await project.trace("a")
    await project.trace("b", at=NOW + SECOND, user_id="alice", metadata={"place": "Zürich"})

    async def found(*texts: str) -> list[str]:
        said = [{"type": "string", "column": "search", "operator": "contains", "value": text} for text in texts]
        return await project.ids("/traces", filter=said)

    assert await found("refund") == ["b", "a"]
    assert await found("refund policy") == ["a"]
    assert await found("urgent") == ["a"]
    assert await found("ZÜRICH") == await found("Zürich") == ["b"]
    assert await found("alice") == ["b"]
    assert await found("fund") == [] and await found("‽") == []
    assert await found("refund", "urgent") == ["a"] and await found("refund", "‽") == []


async def test_a_common_word_is_found_in_the_newest_traces_first(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "FEW_ROWS", 0)
    monkeypatch.setattr(search, "ROWS_PER_TRACE", 1)
    monkeypatch.setattr(search, "SOME_ROWS", 2)
    for number in range(9):
        at = NOW + number * 7200 * SECOND
        await project.observation(f"t{number}", "o1", at=at, input="a common word")
        await project.trace(f"t{number}", at=at)
    condition = {"type": "string", "column": "search", "operator": "contains", "value": "common"}
    page = await project.get("/traces", filter=[condition], limit=2)
    assert [row["id"] for row in page["data"]] == ["t8", "t7"] and 2 <= page["meta"]["totalItems"] < 9
    assert await project.ids("/traces", filter=[condition], limit=2, page=4) == ["t2", "t1"]
    assert await project.ids("/traces", filter=[condition], limit=50) == [f"t{number}" for number in range(8, -1, -1)]
