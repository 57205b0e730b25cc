"""GET /scores, /v2/scores and /v3/scores."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.read.conftest import NOW, SECOND, Project


async def seed(project: Project) -> None:
    await project.trace("t1", user_id="alice", tags=["a", "b"], session_id="s1")
    await project.score("num", trace_id="t1", value=0.5, comment="fine", metadata={"n": "1"}, config_id="c1")
    await project.score(
        "cat",
        at=NOW + SECOND,
        trace_id="t1",
        observation_id="o1",
        data_type="CATEGORICAL",
        name="tone",
        string_value="ok",
    )
    await project.score(
        "bool", at=NOW + 2 * SECOND, trace_id="t2", data_type="BOOLEAN", value=1, string_value="True", source="EVAL"
    )
    await project.score("text", at=NOW + 3 * SECOND, trace_id="t2", data_type="TEXT", string_value="a note")
    await project.score("session", at=NOW + 4 * SECOND, session_id="s1", value=-1.5)
    await project.score(
        "fix", at=NOW + 5 * SECOND, trace_id="t1", data_type="CORRECTION", name="output", long_string_value="better"
    )
    await project.score("run", at=NOW + 6 * SECOND, dataset_run_id="r1", value=1)


async def test_v2_lists_all_kinds_and_v1_only_those_of_traces(project: Project) -> None:
    await seed(project)
    assert await project.ids("/v2/scores") == ["run", "fix", "session", "text", "bool", "cat", "num"]
    assert await project.ids("/scores") == ["text", "bool", "cat", "num"]
    assert (await project.get("/v2/scores", limit=3))["meta"] == {
        "page": 1,
        "limit": 3,
        "totalItems": 7,
        "totalPages": 3,
    }


async def test_shapes_of_the_second_version(project: Project) -> None:
    await seed(project)
    rows = {row["id"]: row for row in (await project.get("/v2/scores"))["data"]}
    assert rows["num"]["value"] == 0.5 and rows["num"]["stringValue"] is None and rows["num"]["metadata"] == {"n": 1}
    assert rows["num"]["observationId"] is None and rows["num"]["sessionId"] is None
    assert rows["num"]["trace"] == {
        "userId": "alice",
        "tags": ["a", "b"],
        "environment": "default",
        "sessionId": "s1",
    }
    assert rows["cat"]["value"] == 0 and rows["cat"]["stringValue"] == "ok"
    assert rows["bool"]["value"] == 1 and rows["bool"]["stringValue"] == "True" and rows["bool"]["trace"] is None
    assert "value" not in rows["text"] and rows["text"]["stringValue"] == "a note"
    assert rows["fix"]["stringValue"] == "better"
    assert "trace" not in (await project.get("/v2/scores", fields="score"))["data"][0]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"name": "tone"}, ["cat"]),
        ({"source": "EVAL"}, ["bool"]),
        ({"dataType": "TEXT"}, ["text"]),
        ({"configId": "c1"}, ["num"]),
        ({"userId": "alice"}, ["fix", "cat", "num"]),
        ({"traceTags": "a,b"}, ["fix", "cat", "num"]),
        ({"sessionId": "s1"}, ["session"]),
        ({"traceId": "t2"}, ["text", "bool"]),
        ({"datasetRunId": "r1"}, ["run"]),
        ({"observationId": "o1,o2"}, ["cat"]),
        ({"scoreIds": "num,cat,none"}, ["cat", "num"]),
        ({"value": "0.5", "operator": ">=", "dataType": "NUMERIC"}, ["run", "num"]),
        ({"value": "-1.5"}, ["session"]),
        ({"toTimestamp": "2025-11-23T10:50:01Z"}, ["num"]),
    ],
)
async def test_v2_filters(project: Project, params: dict[str, Any], expected: list[str]) -> None:
    await seed(project)
    assert await project.ids("/v2/scores", **params) == expected


async def test_metadata_filter(project: Project) -> None:
    await seed(project)
    condition = {"type": "stringObject", "column": "metadata", "key": "n", "operator": "=", "value": "1"}
    assert await project.ids("/v2/scores", filter=[condition]) == ["num"]


async def test_single_scores(project: Project) -> None:
    await seed(project)
    assert (await project.get("/v2/scores/session"))["value"] == -1.5
    assert (await project.get("/scores/num"))["comment"] == "fine"
    assert await project.refused("/scores/session") == (404, "Score not found")
    assert await project.refused("/v2/scores/none") == (404, "Score not found")
    await project.score("num", trace_id="t1", value=0.9, event_ts=NOW + SECOND)
    assert (await project.get("/v2/scores/num"))["value"] == 0.9


async def test_contradictions_are_refused(project: Project) -> None:
    assert (await project.answer("/v2/scores", fields="trace")).status_code == 400
    assert (await project.answer("/v2/scores", fields="score", userId="u")).status_code == 400
    assert (await project.answer("/v2/scores", value="x")).status_code == 400
    assert (await project.answer("/v2/scores", value="1", operator="~")).status_code == 400


async def test_v3_walks_by_cursor(project: Project) -> None:
    await seed(project)
    first = await project.get("/v3/scores", limit=4)
    second = await project.get("/v3/scores", limit=4, cursor=first["meta"]["cursor"])
    ids = [row["id"] for row in (*first["data"], *second["data"])]
    assert ids == ["run", "fix", "session", "text", "bool", "cat", "num"]
    assert second["meta"] == {"limit": 4}


async def test_v3_shapes(project: Project) -> None:
    await seed(project)
    page = await project.get("/v3/scores", fields="details,subject,annotation")
    rows = {row["id"]: row for row in page["data"]}
    assert [rows[name]["value"] for name in ("num", "bool", "cat", "text", "fix")] == [
        0.5,
        True,
        "ok",
        "a note",
        "better",
    ]
    assert rows["cat"]["subject"] == {"kind": "observation", "id": "o1", "traceId": "t1"}
    assert rows["num"]["subject"] == {"kind": "trace", "id": "t1"}
    assert rows["session"]["subject"] == {"kind": "session", "id": "s1"}
    assert rows["run"]["subject"] == {"kind": "experiment", "id": "r1"}
    assert rows["num"]["comment"] == "fine" and rows["num"]["queueId"] is None
    assert "subject" not in (await project.get("/v3/scores"))["data"][0]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"id": "num,cat"}, ["cat", "num"]),
        ({"dataType": "numeric", "valueMin": "0.5"}, ["run", "num"]),
        ({"dataType": "BOOLEAN", "value": "true"}, ["bool"]),
        ({"dataType": "CATEGORICAL", "value": "ok,no"}, ["cat"]),
        ({"source": "eval,annotation"}, ["bool"]),
        ({"traceId": "t1", "observationId": "o1"}, ["cat"]),
        ({"experimentId": "r1"}, ["run"]),
    ],
)
async def test_v3_filters(project: Project, params: dict[str, Any], expected: list[str]) -> None:
    await seed(project)
    assert await project.ids("/v3/scores", **params) == expected


@pytest.mark.parametrize(
    "params",
    [
        {"userId": "u"},
        {"limit": 101},
        {"fields": "score"},
        {"traceId": "t", "sessionId": "s"},
        {"observationId": "o"},
        {"valueMin": "1"},
        {"value": "1"},
        {"value": "1", "dataType": "TEXT"},
        {"dataType": "WRONG"},
        {"cursor": "%%%"},
        {"dataType": "NUMERIC", "valueMax": "x"},
    ],
)
async def test_v3_refuses(project: Project, params: dict[str, Any]) -> None:
    assert (await project.answer("/v3/scores", **params)).status_code == 400
