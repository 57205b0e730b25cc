"""Datasets over HTTP: items, their versions and their order."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any
from urllib.parse import quote

import httpx
import pytest


@pytest.fixture
async def dataset(client: httpx.AsyncClient) -> str:
    name = f"data + 7? {uuid.uuid4()}"
    answer = await client.post("/v2/datasets", json={"name": name})
    assert (answer.status_code, answer.json()["description"]) == (200, None)
    return name


async def put(client: httpx.AsyncClient, dataset: str, **fields: Any) -> dict[str, Any]:
    answer = await client.post("/dataset-items", json={"datasetName": dataset, **fields})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def listed(client: httpx.AsyncClient, dataset: str, **params: Any) -> list[dict[str, Any]]:
    answer = await client.get("/dataset-items", params={"datasetName": dataset, **params})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


async def test_a_dataset_is_put_by_name(client: httpx.AsyncClient, dataset: str) -> None:
    changed = await client.post("/v2/datasets", json={"name": dataset, "metadata": {"a": 1}})
    found = await client.get(f"/v2/datasets/{quote(dataset, safe='')}")
    assert found.json() == changed.json()
    assert (await client.get("/v2/datasets/none")).json()["error"] == "LangfuseNotFoundError"
    assert (await client.get(f"/datasets/{quote(dataset, safe='')}")).json()["items"] == []


async def test_an_update_keeps_what_it_leaves_out(client: httpx.AsyncClient, dataset: str) -> None:
    created = await put(client, dataset, id=str(uuid.uuid4()), input={"q": 1}, metadata=[1])
    updated = await put(client, dataset, id=created["id"], expectedOutput="x", input=None)
    assert (updated["input"], updated["metadata"], updated["expectedOutput"]) == ({"q": 1}, [1], "x")
    assert updated["createdAt"] == created["createdAt"]
    assert len(await listed(client, dataset)) == 1


async def test_archived_items_leave_the_list_only(client: httpx.AsyncClient, dataset: str) -> None:
    item = await put(client, dataset)
    await put(client, dataset, id=item["id"], status="ARCHIVED")
    assert await listed(client, dataset) == []
    assert (await client.get(f"/dataset-items/{item['id']}")).json()["status"] == "ARCHIVED"


async def test_the_state_at_a_time_can_be_read(client: httpx.AsyncClient, dataset: str) -> None:
    first = await put(client, dataset, input=1)
    second = await put(client, dataset, input=2)
    await put(client, dataset, id=first["id"], input=3)
    assert [item["input"] for item in await listed(client, dataset, version=first["createdAt"])] == [1]
    assert [item["input"] for item in await listed(client, dataset, version=second["createdAt"])] == [2, 1]
    assert [item["input"] for item in await listed(client, dataset)] == [2, 3]
    assert (await client.delete(f"/dataset-items/{first['id']}")).status_code == 200
    assert [item["input"] for item in await listed(client, dataset)] == [2]
    assert (await client.get("/dataset-items", params={"version": first["createdAt"]})).status_code == 400


async def test_items_made_at_once_keep_a_strict_order(client: httpx.AsyncClient, dataset: str) -> None:
    await asyncio.gather(*(put(client, dataset, input=number) for number in range(20)))
    times = [item["createdAt"] for item in await listed(client, dataset)]
    assert len(set(times)) == 20
    assert times == sorted(times, reverse=True)


async def test_an_id_belongs_to_one_dataset(client: httpx.AsyncClient, dataset: str) -> None:
    item = await put(client, dataset)
    await client.post("/v2/datasets", json={"name": "another"})
    answer = await client.post("/dataset-items", json={"datasetName": "another", "id": item["id"]})
    assert (answer.status_code, answer.json()["error"]) == (409, "LangfuseConflictError")
    answer = await client.post("/dataset-items", json={"datasetName": "unknown"})
    assert answer.status_code == 404


async def test_a_page_beyond_the_last_knows_how_many_there_are(client: httpx.AsyncClient, dataset: str) -> None:
    await put(client, dataset)
    await client.post("/score-configs", json={"name": "beyond", "dataType": "TEXT"})
    asked: dict[str, dict[str, str]] = {
        "/v2/datasets": {},
        "/dataset-items": {"datasetName": dataset},
        "/score-configs": {},
    }
    for path, params in asked.items():
        first = (await client.get(path, params=params)).json()
        beyond = (await client.get(path, params={**params, "page": "1000"})).json()
        assert beyond["data"] == [] and beyond["meta"]["totalItems"] == first["meta"]["totalItems"] > 0
