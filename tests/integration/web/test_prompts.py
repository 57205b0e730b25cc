"""Prompts over HTTP: versions, labels, tags."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any
from urllib.parse import quote

import httpx
import pytest

PROMPTS = "/v2/prompts"


@pytest.fixture
def name() -> str:
    return f"folder/ä b #?%20 {uuid.uuid4()}"


async def create(client: httpx.AsyncClient, name: str, **fields: Any) -> dict[str, Any]:
    answer = await client.post(PROMPTS, json={"name": name, "prompt": "Hi {{who}}", **fields})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def get(client: httpx.AsyncClient, name: str, **params: Any) -> httpx.Response:
    return await client.get(f"{PROMPTS}/{quote(name, safe='')}", params=params or None)


async def test_labels_belong_to_one_version(client: httpx.AsyncClient, name: str) -> None:
    first = await create(client, name, labels=["production"], config={"a": 1}, commitMessage="one")
    assert (first["version"], first["labels"], first["commitMessage"]) == (1, ["production", "latest"], "one")
    await create(client, name, labels=["production", "staging"])
    assert (await get(client, name)).json()["version"] == 2
    assert (await get(client, name, version=1)).json()["labels"] == []
    path = f"{PROMPTS}/{quote(name, safe='')}/versions/1"
    changed = await client.patch(path, json={"newLabels": ["production"]})
    assert (changed.status_code, changed.json()["labels"]) == (200, ["production"])
    assert (await get(client, name, label="latest")).json()["labels"] == ["staging", "latest"]
    assert (await client.patch(path, json={"newLabels": ["latest"]})).status_code == 400


async def test_a_proxy_may_have_decoded_the_slashes_of_a_name(client: httpx.AsyncClient) -> None:
    name = f"folder/sub/my prompt {uuid.uuid4()}"
    await create(client, name, labels=["production"])
    path = f"{PROMPTS}/{quote(name)}"
    assert "%2F" not in path
    assert (await client.get(path)).json()["name"] == name
    changed = await client.patch(f"{path}/versions/1", json={"newLabels": ["staging"]})
    assert (changed.status_code, "staging" in changed.json()["labels"]) == (200, True)
    assert (await client.delete(path)).status_code == 204
    assert (await client.post("/v2/datasets", json={"name": name})).status_code == 200
    assert (await client.get(f"/v2/datasets/{quote(name)}")).json()["name"] == name


async def test_tags_are_shared(client: httpx.AsyncClient, name: str) -> None:
    await create(client, name, tags=["a"])
    assert (await create(client, name))["tags"] == ["a"]
    await create(client, name, tags=["b"])
    assert (await get(client, name, version=1)).json()["tags"] == ["b"]
    await create(client, name, tags=[])
    assert (await get(client, name, version=1)).json()["tags"] == []


async def test_what_is_missing_is_named(client: httpx.AsyncClient, name: str) -> None:
    answer = await get(client, name)
    assert (answer.status_code, answer.json()) == (
        404,
        {"message": f"Prompt not found: '{name}' with label 'production'", "error": "LangfuseNotFoundError"},
    )
    assert (await get(client, name, version=-1)).json()["message"].endswith("with version -1")
    assert (await get(client, name, version=1, label="x")).status_code == 400


async def test_latest_moves_back_when_the_newest_goes(client: httpx.AsyncClient, name: str) -> None:
    for _ in range(3):
        await create(client, name)
    path = f"{PROMPTS}/{quote(name, safe='')}"
    assert (await client.delete(path, params={"version": 3})).status_code == 204
    assert (await get(client, name, label="latest")).json()["version"] == 2
    assert (await client.delete(path)).status_code == 204
    assert (await client.delete(path)).status_code == 404


async def test_many_writers_get_a_version_each(client: httpx.AsyncClient, name: str) -> None:
    found = await asyncio.gather(*(create(client, name, labels=["production"]) for _ in range(8)))
    assert sorted(each["version"] for each in found) == list(range(1, 9))
    (summary,) = (await client.get(PROMPTS, params={"name": name})).json()["data"]
    assert (summary["versions"], summary["labels"]) == (list(range(1, 9)), ["latest", "production"])
    assert (await get(client, name)).json()["version"] == 8


async def test_chat_prompts(client: httpx.AsyncClient, name: str) -> None:
    messages = [
        {"type": "chatmessage", "role": "system", "content": "Be {{mood}}"},
        {"type": "placeholder", "name": "history"},
    ]
    created = await create(client, name, type="chat", prompt=messages)
    assert created["prompt"] == [{"role": "system", "content": "Be {{mood}}"}, messages[1]]
    answer = await client.post(PROMPTS, json={"name": name, "prompt": "text"})
    assert answer.json()["error"] == "InvalidRequestError"


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": "a|b"},
        {"name": "<b>"},
        {"name": "new"},
        {"name": "a" * 256},
        {"labels": ["Upper"]},
        {"labels": ["a" * 37]},
        {"type": "chat"},
        {"type": "chat", "prompt": [{"role": "user"}]},
        {"type": "chat", "prompt": [{"role": "user", "content": "{{x}}"}, {"type": "placeholder", "name": "x"}]},
        {"prompt": "@@@langfusePrompt:name=x|version=1@@@"},
        {"commitMessage": "x" * 501},
    ],
)
async def test_invalid_prompts_are_refused(client: httpx.AsyncClient, fields: dict[str, Any]) -> None:
    answer = await client.post(PROMPTS, json={"name": "refused", "prompt": "x", **fields})
    assert answer.status_code == 400


async def test_lists_are_paged(client: httpx.AsyncClient) -> None:
    tag = str(uuid.uuid4())
    for number in range(3):
        await create(client, f"{tag}-{number}", tags=[tag])
    answer = (await client.get(PROMPTS, params={"tag": tag, "limit": 2, "page": 2})).json()
    assert [each["name"] for each in answer["data"]] == [f"{tag}-2"]
    assert answer["meta"] == answer["pagination"] == {"page": 2, "limit": 2, "totalItems": 3, "totalPages": 2}
    beyond = (await client.get(PROMPTS, params={"tag": tag, "limit": 2, "page": 3})).json()
    assert (beyond["data"], beyond["meta"]["totalItems"]) == ([], 3)


async def test_values_that_cannot_be_stored_are_the_clients_fault(client: httpx.AsyncClient) -> None:
    assert (await client.get(f"{PROMPTS}/a%00b")).status_code == 400
    answer = await client.patch(f"{PROMPTS}/x/versions/99999999999", json={"newLabels": []})
    assert answer.status_code in (400, 404)
