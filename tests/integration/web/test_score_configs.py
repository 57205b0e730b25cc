"""Score configs over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

CONFIGS = "/score-configs"


async def test_a_config_can_be_made_and_changed(client: httpx.AsyncClient) -> None:
    made = (await client.post(CONFIGS, json={"name": "quality (1-5)", "dataType": "NUMERIC", "minValue": 1})).json()
    assert (made["isArchived"], made["minValue"], made["maxValue"], made["categories"]) == (False, 1, None, None)
    changed = await client.patch(f"{CONFIGS}/{made['id']}", json={"maxValue": 5, "isArchived": True})
    assert (changed.json()["maxValue"], changed.json()["isArchived"]) == (5, True)
    assert (await client.get(f"{CONFIGS}/{made['id']}")).json() == changed.json()
    assert made["id"] in [each["id"] for each in (await client.get(CONFIGS)).json()["data"]]
    assert (await client.patch(f"{CONFIGS}/{made['id']}", json={"maxValue": 0})).status_code == 400
    assert (await client.patch(f"{CONFIGS}/{made['id']}", json={})).status_code == 400


async def test_boolean_configs_get_their_categories(client: httpx.AsyncClient) -> None:
    made = (await client.post(CONFIGS, json={"name": "ok", "dataType": "BOOLEAN"})).json()
    assert made["categories"] == [{"label": "True", "value": 1}, {"label": "False", "value": 0}]


@pytest.mark.parametrize(
    "config",
    [
        {"name": "", "dataType": "TEXT"},
        {"name": "a/b", "dataType": "TEXT"},
        {"name": "n", "dataType": "TEXT", "minValue": 1},
        {"name": "n", "dataType": "NUMERIC", "minValue": 2, "maxValue": 1},
        {"name": "n", "dataType": "CATEGORICAL"},
        {
            "name": "n",
            "dataType": "CATEGORICAL",
            "categories": [{"label": "a", "value": 0}, {"label": "a", "value": 1}],
        },
        {"name": "n", "dataType": "OTHER"},
    ],
)
async def test_configs_that_make_no_sense_are_refused(client: httpx.AsyncClient, config: dict[str, Any]) -> None:
    assert (await client.post(CONFIGS, json=config)).status_code == 400


async def test_unknown_configs_are_not_found(client: httpx.AsyncClient) -> None:
    assert (await client.get(f"{CONFIGS}/none")).json()["error"] == "LangfuseNotFoundError"
