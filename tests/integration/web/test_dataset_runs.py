"""Dataset runs over HTTP: created by their items, read back, and deleted."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from appliance.model.datasets import dataset_run_id
from appliance.web.context import Context

RUN = "run 1/ä"


class DatasetClient:
    """A dataset with two items."""

    def __init__(self, http: httpx.AsyncClient, dataset: dict[str, Any], items: list[str]) -> None:
        self.http = http
        self.id: str = dataset["id"]
        self.name: str = dataset["name"]
        self.project_id: str = dataset["projectId"]
        self.items = items

    async def add(self, **fields: Any) -> dict[str, Any]:
        body = {"runName": RUN, "datasetItemId": self.items[0], "traceId": "t1", **fields}
        return await answer_of(self.http.post("/dataset-run-items", json=body))

    async def read(self, run: str = RUN) -> httpx.Response:
        return await self.http.get(self.path(run))

    def path(self, run: str = "") -> str:
        return f"/datasets/{quote(self.name, safe='')}/runs" + (f"/{quote(run, safe='')}" if run else "")


async def answer_of(request: Any) -> dict[str, Any]:
    answer: httpx.Response = await request
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.fixture
async def dataset(client: httpx.AsyncClient) -> DatasetClient:
    dataset = await answer_of(client.post("/v2/datasets", json={"name": f"a b/{uuid.uuid4()}"}))
    items = [
        (await answer_of(client.post("/dataset-items", json={"datasetName": dataset["name"], "input": number})))["id"]
        for number in range(2)
    ]
    return DatasetClient(client, dataset, items)


async def test_the_first_item_creates_the_run(dataset: DatasetClient) -> None:
    first = await dataset.add(runDescription="about", metadata={"x": 1})
    second = await dataset.add(
        datasetItemId=dataset.items[1], traceId="t2", observationId="o2", runDescription="later", metadata={"x": 2}
    )
    run_id = dataset_run_id(dataset.project_id, dataset.id, RUN)
    assert first == {
        "id": first["id"],
        "datasetRunId": run_id,
        "datasetRunName": RUN,
        "datasetItemId": dataset.items[0],
        "traceId": "t1",
        "observationId": None,
        "createdAt": first["createdAt"],
        "updatedAt": first["createdAt"],
    }
    run = (await dataset.read()).json()
    assert run == {
        "id": run_id,
        "name": RUN,
        "description": "about",
        "metadata": {"x": 1},
        "datasetId": dataset.id,
        "datasetName": dataset.name,
        "createdAt": run["createdAt"],
        "updatedAt": run["createdAt"],
        "datasetRunItems": [second, first],
    }
    by_id: dict[str, str | int] = {"datasetId": dataset.id, "runName": RUN, "limit": 1, "page": 2}
    page = await answer_of(dataset.http.get("/dataset-run-items", params=by_id))
    assert page == {"data": [first], "meta": {"page": 2, "limit": 1, "totalItems": 2, "totalPages": 2}}
    shown = await answer_of(dataset.http.get(f"/datasets/{quote(dataset.name, safe='')}"))
    assert shown["runs"] == [RUN]


async def test_runs_are_listed_newest_first(dataset: DatasetClient) -> None:
    await dataset.add(runName="new")
    await dataset.add(runName="old", createdAt="2026-03-12T10:00:00+02:00", metadata=["a"])
    runs = (await answer_of(dataset.http.get(dataset.path())))["data"]
    assert [(run["name"], run["metadata"], run["description"]) for run in runs] == [
        ("new", {}, None),
        ("old", {"metadata": ["a"]}, None),
    ]
    assert runs[1]["createdAt"] == runs[1]["updatedAt"] == "2026-03-12T08:00:00.000Z"
    page = await answer_of(dataset.http.get(dataset.path(), params={"limit": 1, "page": 2}))
    assert page == {"data": runs[1:], "meta": {"page": 2, "limit": 1, "totalItems": 2, "totalPages": 2}}


async def test_items_sent_at_once_make_one_run(dataset: DatasetClient) -> None:
    items = await asyncio.gather(*(dataset.add(traceId=f"t{number}") for number in range(12)))
    assert len({item["datasetRunId"] for item in items}) == 1
    assert len((await dataset.read()).json()["datasetRunItems"]) == 12


async def test_an_id_that_is_taken_is_not_given_twice(dataset: DatasetClient, context: Context) -> None:
    """As of a run that another request inserts at the same time, seen by the index of ids first."""
    first = await dataset.add()
    taken = dataset_run_id(dataset.project_id, dataset.id, RUN)
    renamed = "UPDATE dataset_runs SET name = 'renamed' WHERE project_id = %(project_id)s AND id = %(id)s"
    await context.postgres.execute(renamed, {"project_id": dataset.project_id, "id": taken})
    second = await dataset.add()
    assert (first["datasetRunId"], second["datasetRunName"]) == (taken, RUN)
    assert second["datasetRunId"] != taken


async def test_the_item_at_a_version(dataset: DatasetClient) -> None:
    item = await answer_of(dataset.http.get(f"/dataset-items/{dataset.items[0]}"))
    await answer_of(dataset.http.delete(f"/dataset-items/{item['id']}"))
    gone = {"runName": RUN, "datasetItemId": item["id"], "traceId": "t"}
    assert (await dataset.http.post("/dataset-run-items", json=gone)).status_code == 404
    await dataset.add(datasetVersion=item["version"], metadata={"a": 1})
    assert (await dataset.read()).json()["metadata"] == {"a": 1, "dataset_version": item["version"]}


async def test_an_archived_item_takes_no_part(dataset: DatasetClient) -> None:
    archived = {"datasetName": dataset.name, "id": dataset.items[0], "status": "ARCHIVED"}
    await answer_of(dataset.http.post("/dataset-items", json=archived))
    body = {"runName": RUN, "datasetItemId": dataset.items[0], "traceId": "t"}
    answer = await dataset.http.post("/dataset-run-items", json=body)
    assert (answer.status_code, answer.json()["message"]) == (404, "Dataset item not found")


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"runName": None}, 400),
        ({"runName": ""}, 400),
        ({"runName": "a\0b"}, 400),
        ({"datasetItemId": None}, 400),
        ({"traceId": None}, 400),
        ({"colour": 1}, 400),
        ({"createdAt": "yesterday"}, 400),
        ({"datasetItemId": "unknown"}, 404),
        ({"traceId": None, "observationId": "unknown"}, 404),
    ],
)
async def test_items_that_are_refused(dataset: DatasetClient, fields: dict[str, Any], status: int) -> None:
    body = {"runName": "refused", "datasetItemId": dataset.items[0], "traceId": "t", **fields}
    answer = await dataset.http.post("/dataset-run-items", json=body)
    assert answer.status_code == status, answer.text
    assert (await dataset.read("refused")).status_code == 404


async def test_runs_that_are_not_there(dataset: DatasetClient) -> None:
    messages = {
        dataset.path("none"): "Dataset run not found",
        "/datasets/none/runs/none": "Dataset run not found",
        "/datasets/none/runs": "Dataset not found",
        f"/dataset-run-items?datasetId={dataset.id}&runName=none": (
            "Dataset run not found for the given project and dataset id"
        ),
    }
    for path, message in messages.items():
        answer = await dataset.http.get(path)
        assert (answer.status_code, answer.json()) == (404, {"message": message, "error": "LangfuseNotFoundError"})
    assert (await dataset.http.delete(dataset.path("none"))).status_code == 404
    assert (await dataset.http.get("/dataset-run-items", params={"runName": RUN})).status_code == 400
    assert (await dataset.http.get("/dataset-run-items", params={"datasetId": dataset.id})).status_code == 400


async def test_a_deleted_run_goes_with_its_items(dataset: DatasetClient, context: Context) -> None:
    item = await dataset.add()
    await dataset.add(runName="other")
    deleted = await answer_of(dataset.http.delete(dataset.path(RUN)))
    assert deleted == {"message": "Dataset run successfully deleted"}
    assert (await dataset.read()).status_code == (await dataset.http.delete(dataset.path(RUN))).status_code == 404
    left = await context.postgres.rows("SELECT FROM dataset_run_items WHERE id = %(id)s", {"id": item["id"]})
    assert left == []
    assert [run["name"] for run in (await answer_of(dataset.http.get(dataset.path())))["data"]] == ["other"]
    again = await dataset.add()
    assert again["datasetRunId"] != item["datasetRunId"]  # scores of the deleted one may still be stored
