"""What another program wrote into Postgres never takes a list with it."""

from __future__ import annotations

from typing import Any, Final

import httpx
import pytest

from appliance.storage.postgres.models import Models
from appliance.storage.postgres.references import References
from appliance.web.context import Context

HALF: Final = '{"a": "\\ud800", "b": 1}'
ROWS: Final[dict[str, str]] = {
    "prompt": "UPDATE prompts SET config = %(half)s::json WHERE name = 'broken'",
    "dataset": "UPDATE datasets SET metadata = %(half)s::json WHERE name = 'broken'",
    "item": "UPDATE dataset_items SET input = %(half)s::json, metadata = %(half)s::json WHERE id = 'broken'",
    "config": "UPDATE score_configs SET categories = %(half)s::json WHERE name = 'broken'",
    "model": "UPDATE models SET pricing_tiers = %(half)s::json WHERE model_name = 'broken'",
}


@pytest.fixture
async def broken(client: httpx.AsyncClient, context: Context) -> None:
    tier = {"name": "t", "isDefault": True, "priority": 0, "conditions": [], "prices": {"input": 1}}
    made: list[tuple[str, str, dict[str, Any]]] = [
        ("/v2/datasets", "name", {}),
        ("/v2/prompts", "name", {"prompt": "x", "labels": ["production"]}),
        ("/score-configs", "name", {"dataType": "CATEGORICAL", "categories": [{"label": "a", "value": 1}]}),
        ("/dataset-items", "id", {"datasetName": "whole", "input": {"a": 1}}),
        ("/models", "modelName", {"matchPattern": "x", "unit": "TOKENS", "pricingTiers": [tier]}),
    ]
    for path, key, body in made:
        for name in ("broken", "whole"):
            answer = await client.post(path, json={key: name, **body})
            # Of models there is one of each name, also of the test before.
            assert answer.status_code < 300 or path == "/models", (path, answer.text)
    for sql in ROWS.values():
        assert await context.postgres.execute(sql, {"half": HALF}) >= 1


async def test_lists_and_single_ones_are_answered(client: httpx.AsyncClient, broken: None) -> None:
    names = {}
    for path, key in (
        ("/v2/prompts", "name"),
        ("/v2/datasets", "name"),
        ("/score-configs", "name"),
        ("/dataset-items", "id"),
    ):
        answer = await client.get(path, params={"limit": 100})
        assert answer.status_code == 200, (path, answer.text)
        names[path] = {row[key] for row in answer.json()["data"]} & {"broken", "whole"}
    assert all(found == {"broken", "whole"} for found in names.values()), names
    own = [row for row in await _all_models(client) if row["modelName"] in ("broken", "whole")]
    assert [row["modelName"] for row in own] == ["whole"]
    assert (await client.get("/v2/prompts/broken")).json()["config"] == {"a": "\ufffd", "b": 1}
    assert (await client.get("/v2/datasets/broken")).json()["metadata"] == {"a": "\ufffd", "b": 1}
    assert (await client.get("/dataset-items/broken")).json()["input"] == {"a": "\ufffd", "b": 1}


async def _all_models(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    pages = (await client.get("/models", params={"limit": 100})).json()["meta"]["totalPages"]
    answers = [await client.get("/models", params={"limit": 100, "page": page + 1}) for page in range(pages)]
    return [row for answer in answers for row in answer.json()["data"]]


async def test_the_worker_reads_models_and_configs(context: Context, client: httpx.AsyncClient, broken: None) -> None:
    assert "whole" in {model.model_name for model in await Models(context.postgres).of_all_projects()}
    configs = (await client.get("/score-configs", params={"limit": 100})).json()["data"]
    config = next(each for each in configs if each["name"] == "broken")
    key = (config["projectId"], config["id"])
    assert (await References(context.postgres).score_configs([key]))[key].categories is None
