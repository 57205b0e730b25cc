"""Model definitions over HTTP."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from appliance.storage.redis.heartbeats import Heartbeats
from appliance.web.context import Context

MODELS = "/models"
STANDARD: dict[str, Any] = {
    "name": "Standard",
    "isDefault": True,
    "priority": 0,
    "conditions": [],
    "prices": {"input": 1e-6, "output": 2e-6},
}
LARGE: dict[str, Any] = {
    "name": "Large",
    "isDefault": False,
    "priority": 1,
    "conditions": [{"usageDetailPattern": "^input", "operator": "gt", "value": 200_000, "caseSensitive": False}],
    "prices": {"input": 2e-6, "output": 4e-6},
}
FAST: dict[str, Any] = {
    "name": "Fast",
    "isDefault": False,
    "priority": 2,
    "conditions": [{"source": "model_parameters", "key": "service_tier", "operator": "in", "values": ["priority"]}],
    "prices": {"input": 3e-6},
}


def unique(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex[:8]}"


async def test_a_model_with_flat_prices(client: httpx.AsyncClient) -> None:
    name = unique("mine")
    sent = {
        "modelName": name,
        "matchPattern": f"(?i)^{name}$",
        "startDate": "2026-01-02T03:04:05.678Z",
        "unit": "TOKENS",
        "inputPrice": 1e-6,
        "outputPrice": 0,
        "tokenizerId": "openai",
        "tokenizerConfig": {"tokenizerModel": "gpt-4o"},
    }

    made = (await client.post(MODELS, json=sent)).json()

    assert {key: made[key] for key in sent} == sent
    assert (made["isLangfuseManaged"], made["totalPrice"]) == (False, None)
    assert made["prices"] == {"input": {"price": 1e-6}, "output": {"price": 0}}
    assert made["pricingTiers"] == [
        STANDARD | {"id": f"{made['id']}_tier_default", "prices": {"input": 1e-6, "output": 0}}
    ]
    assert (await client.get(f"{MODELS}/{made['id']}")).json() == made


async def test_a_model_with_tiers(client: httpx.AsyncClient) -> None:
    name = unique("tiers")

    made = (
        await client.post(
            MODELS, json={"modelName": name, "matchPattern": name, "pricingTiers": [STANDARD, LARGE, FAST]}
        )
    ).json()

    assert [{key: tier[key] for key in STANDARD} for tier in made["pricingTiers"]] == [STANDARD, LARGE, FAST]
    assert len({tier["id"] for tier in made["pricingTiers"]}) == 3
    assert (made["inputPrice"], made["outputPrice"], made["startDate"], made["unit"]) == (1e-6, 2e-6, None, None)


async def test_own_and_built_in_models_are_listed_by_name(client: httpx.AsyncClient) -> None:
    own = (await client.post(MODELS, json={"modelName": "!first", "matchPattern": "x", "totalPrice": 1})).json()

    first = (await client.get(MODELS, params={"limit": 2})).json()
    last = (await client.get(MODELS, params={"limit": 2, "page": first["meta"]["totalPages"]})).json()

    assert first["data"][0] == own
    assert first["data"][1]["isLangfuseManaged"] and first["data"][1]["createdAt"].startswith("2026-")
    assert first["meta"]["totalItems"] > 300
    assert last["data"][-1]["modelName"] > first["data"][1]["modelName"]
    assert (await client.get(f"{MODELS}/{first['data'][1]['id']}")).json() == first["data"][1]


async def test_only_own_models_can_be_deleted(client: httpx.AsyncClient) -> None:
    name = unique("gone")
    made = (await client.post(MODELS, json={"modelName": name, "matchPattern": name})).json()
    built_in = next(model for model in (await client.get(MODELS)).json()["data"] if model["isLangfuseManaged"])

    deleted = await client.delete(f"{MODELS}/{made['id']}")

    assert (deleted.status_code, deleted.json()) == (200, {"message": "Model successfully deleted"})
    assert (await client.get(f"{MODELS}/{made['id']}")).status_code == 404
    assert (await client.delete(f"{MODELS}/{made['id']}")).json()["error"] == "LangfuseNotFoundError"
    assert (await client.delete(f"{MODELS}/{built_in['id']}")).status_code == 404


async def test_a_model_whose_pattern_workers_do_not_use_any_more_is_marked(
    client: httpx.AsyncClient, context: Context
) -> None:
    name = unique("slow")
    made = (await client.post(MODELS, json={"modelName": name, "matchPattern": f"^{name}$"})).json()
    assert "matchPatternTooSlow" not in made

    await Heartbeats(context.redis).beat("worker-1", {"patterns_set_aside": [f"^{name}$"]})

    assert (await client.get(f"{MODELS}/{made['id']}")).json() == made | {"matchPatternTooSlow": True}
    assert "1 patterns of models" in (await client.get("/health")).json()["warnings"][0]


async def test_a_name_may_return_with_another_start_only(client: httpx.AsyncClient) -> None:
    sent = {"modelName": unique("twice"), "matchPattern": "x", "inputPrice": 1}

    answers = [
        (await client.post(MODELS, json=body)).status_code
        for body in (sent, sent | {"inputPrice": 2}, sent | {"startDate": "2027-01-01T00:00:00Z"})
    ]

    assert answers == [200, 400, 200]


@pytest.mark.parametrize(
    "change",
    [
        {"modelName": ""},
        {"matchPattern": "("},
        {"matchPattern": "*a"},
        {"matchPattern": "^(a|aa)+$"},
        {"matchPattern": "x" * 1001},
        {"inputPrice": -1},
        {"inputPrice": 1, "totalPrice": 1},
        {"unit": "BYTES"},
        {"tokenizerId": "other"},
        {"startDate": "2026-01-01"},
        {"inputPrice": 1, "pricingTiers": [STANDARD]},
        {"pricingTiers": []},
        {"pricingTiers": [LARGE]},
        {"pricingTiers": [STANDARD | {"priority": 1}]},
        {"pricingTiers": [STANDARD | {"conditions": LARGE["conditions"]}]},
        {"pricingTiers": [STANDARD, LARGE | {"name": "Standard"}]},
        {"pricingTiers": [STANDARD, LARGE | {"priority": 0}]},
        {"pricingTiers": [STANDARD, LARGE | {"conditions": []}]},
        {"pricingTiers": [STANDARD | {"prices": {}}]},
        {
            "pricingTiers": [
                STANDARD,
                LARGE | {"conditions": [{"usageDetailPattern": "(", "operator": "gt", "value": 1}]},
            ]
        },
        {
            "pricingTiers": [
                STANDARD,
                LARGE | {"conditions": [{"usageDetailPattern": "^(a|aa)+$", "operator": "gt", "value": 1}]},
            ]
        },
        {"pricingTiers": [STANDARD, FAST | {"conditions": [{"source": "metadata", "key": "k", "operator": "gt"}]}]},
    ],
)
async def test_models_that_make_no_sense_are_refused(client: httpx.AsyncClient, change: dict[str, Any]) -> None:
    answer = await client.post(MODELS, json={"modelName": "m", "matchPattern": "m"} | change)

    assert answer.status_code == 400, answer.text
