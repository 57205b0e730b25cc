"""What the worker takes from Postgres: own models and prompts, always as they were when the data was accepted."""

from __future__ import annotations

import asyncio
import dataclasses
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from appliance.errors import StoreUnavailable
from appliance.model.pricing import ModelDefinition, PricingTier
from appliance.model.prompts import NewPrompt
from appliance.storage.postgres.models import Models
from appliance.storage.postgres.pool import Postgres
from appliance.storage.postgres.prompts import Prompts
from appliance.storage.postgres.references import References
from appliance.storage.postgres.score_configs import ScoreConfigs
from appliance.storage.redis.keys import key as name_of
from appliance.storage.redis.receipts import read_receipts
from appliance.worker import large, runner
from appliance.worker.lookups import PostgresLookups
from tests.integration.ingestion.conftest import Pipeline

TIME = "2026-01-01T00:00:00.000Z"
NOBODY = "postgresql://nobody@127.0.0.1:9/none"


def priced(price: float, start: int | None = None) -> ModelDefinition:
    tier = PricingTier(id="t", name="Standard", prices={"input": price})
    return ModelDefinition(
        id=str(uuid.uuid4()),
        project_id="p",
        model_name="mine",
        match_pattern="(?i)^gpt-4o$",
        start_date=start,
        pricing_tiers=(tier,),
    )


def generation(id: str, **fields: Any) -> dict[str, Any]:
    body = {"id": id, "traceId": "t", "startTime": TIME, "model": "gpt-4o", "usageDetails": {"input": 1}, **fields}
    return {"id": f"e-{id}", "timestamp": TIME, "type": "generation-create", "body": body}


async def costs(pipeline: Pipeline) -> dict[str, float]:
    rows = await pipeline.rows("SELECT id, total_cost FROM observations FINAL")
    return {row["id"]: float(row["total_cost"]) for row in rows}


async def test_own_models_count_from_when_they_are_made_until_they_are_deleted(
    pipeline: Pipeline, postgres: Postgres
) -> None:
    models, own = Models(postgres), priced(7)
    async with pipeline.worker("worker-1"), pipeline.worker("worker-2"):
        for step in ("before", "with", "after"):
            if step == "with":
                assert await models.create(own)
            if step == "after":
                assert await models.delete("p", own.id)
            await pipeline.put_events(*(generation(f"{step}-{number}") for number in range(3)))
            await pipeline.drained()

    found = await costs(pipeline)

    assert {id: cost for id, cost in found.items() if cost == 7} == {f"with-{number}": 7 for number in range(3)}
    assert len(found) == 9


async def test_the_newest_definition_that_had_begun_counts(pipeline: Pipeline, postgres: Postgres) -> None:
    start = 1_767_225_600_000_000  # TIME
    for model in (priced(1), priced(2, start - 1), priced(3, start), priced(4, start + 1)):
        assert await Models(postgres).create(model)
    await pipeline.put_events(generation("g"), generation("early", startTime="2020-01-01T00:00:00Z"))

    await pipeline.work_off()

    assert await costs(pipeline) == {"g": 3, "early": 1}


async def test_observations_know_their_prompt(pipeline: Pipeline, postgres: Postgres) -> None:
    named = {"promptName": "greeting", "promptVersion": 1}
    async with pipeline.worker():
        await pipeline.put_events(generation("too early", **named))
        await pipeline.drained()
        prompt = await Prompts(postgres).create("p", NewPrompt(name="greeting", type="text", prompt="Hello", labels=[]))
        await pipeline.put_events(
            generation("linked", **named),
            generation("unknown", promptName="greeting", promptVersion=2),
            generation("impossible", promptName="a\0b", promptVersion=1),
        )
        await pipeline.drained()

    rows = await pipeline.rows("SELECT id, prompt_id FROM observations FINAL")

    assert {row["id"]: row["prompt_id"] for row in rows} == {
        "too early": "",
        "linked": prompt.id,
        "unknown": "",
        "impossible": "",
    }


async def test_without_postgres_nothing_is_priced_at_first_and_nothing_is_lost(pipeline: Pipeline) -> None:
    lonely = dataclasses.replace(
        pipeline.settings, postgres=dataclasses.replace(pipeline.settings.postgres, url=NOBODY)
    )
    await pipeline.put_events(generation("g"))
    async with pipeline.worker(settings=lonely):
        async with asyncio.timeout(20):
            while not await _waits_for(pipeline):
                await asyncio.sleep(0.01)
        assert (await pipeline.stream.backlog()).backlog == 1

    await pipeline.work_off()

    assert set(await costs(pipeline)) == {"g"}


async def test_what_was_last_known_counts_while_postgres_is_away(pipeline: Pipeline, postgres: Postgres) -> None:
    assert await Models(postgres).create(priced(7))
    lookups = PostgresLookups(postgres)
    await lookups.load()
    await postgres.close()

    async with asyncio.timeout(20):
        await lookups.refresh(2**62)

    found = lookups.pricing.match("p", "gpt-4o", 0)
    assert found is not None and found.pricing_tiers[0].prices == {"input": 7}
    await lookups.close()


@pytest.mark.parametrize("is_large", [False, True])
async def test_who_names_what_only_postgres_knows_waits_for_it_alone(
    pipeline: Pipeline, postgres: Postgres, monkeypatch: pytest.MonkeyPatch, is_large: bool
) -> None:
    prompt = await Prompts(postgres).create("p", NewPrompt(name="greeting", type="text", prompt="Hello", labels=[]))
    is_away = False

    def sometimes_away(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(*arguments: Any) -> Any:
            if is_away:
                raise StoreUnavailable("Postgres cannot be reached.")
            return await method(*arguments)

        return call

    for name in ("changes", "prompt_ids", "score_configs"):
        monkeypatch.setattr(References, name, sometimes_away(getattr(References, name)))
    monkeypatch.setattr(runner, "LARGE_BYTES", 0 if is_large else large.LARGE_BYTES)
    named = {"promptName": "greeting", "promptVersion": 1}
    score = {"id": "s", "traceId": "t", "name": "mine", "value": 1, "configId": "none"}
    async with pipeline.worker():
        await pipeline.put_events(generation("before"))
        await pipeline.drained()
        is_away = True
        await pipeline.put_events(generation("named", output="first", **named))
        await pipeline.put_events({"id": "e-s", "timestamp": TIME, "type": "score-create", "body": score})
        update = {"id": "named", "traceId": "t", "output": "last"}
        later = {"id": "e-u", "timestamp": "2026-01-01T00:00:01.000Z", "type": "generation-update", "body": update}
        await pipeline.put_events(later)
        await pipeline.put_events(generation("after"))
        async with asyncio.timeout(20):
            while "after" not in await costs(pipeline) or "3 requests wait" not in await _waits_for(pipeline):
                await asyncio.sleep(0.01)
        assert (await pipeline.stream.backlog()).backlog == 3
        is_away = False
        await pipeline.drained()

    rows = await pipeline.rows("SELECT output, prompt_id, model FROM observations FINAL WHERE id = 'named'")
    assert rows == [{"output": "last", "prompt_id": prompt.id, "model": "gpt-4o"}]
    assert await pipeline.rows("SELECT id FROM scores") == []
    assert (await pipeline.stream.backlog()).dead_letters == 0


async def _waits_for(pipeline: Pipeline) -> str:
    beats = [key async for key in pipeline.redis.scan_iter(name_of("worker", "*"))]
    texts = [await pipeline.redis.get(key) for key in beats]
    return next((str(text) for text in texts if text and "Postgres" in str(text)), "")


async def test_scores_follow_their_configs(pipeline: Pipeline, postgres: Postgres) -> None:
    categories = [{"label": "good", "value": 2}, {"label": "bad", "value": -1}]
    made = {
        kind: await ScoreConfigs(postgres).create(
            "p",
            name=f"official {kind}",
            data_type=kind,
            min_value=1 if kind == "NUMERIC" else None,
            max_value=None,
            categories=categories if kind == "CATEGORICAL" else None,
            description=None,
        )
        for kind in ("NUMERIC", "CATEGORICAL", "BOOLEAN")
    }

    def score(id: str, value: object, config_id: str) -> dict[str, Any]:
        body = {"id": id, "traceId": "t", "name": "mine", "value": value, "configId": config_id}
        return {"id": f"e-{id}-{value}", "timestamp": TIME, "type": "score-create", "body": body}

    events = [
        score("category", "good", made["CATEGORICAL"].id),
        score("boolean", 1, made["BOOLEAN"].id),
        score("number", 3, made["NUMERIC"].id),
        score("number", 0, made["NUMERIC"].id),
        score("too low", 0, made["NUMERIC"].id),
        score("no such config", 0, "none"),
    ]
    await pipeline.put("events", msgspec.json.encode(events), items=len(events))
    await pipeline.work_off()
    receipts = (await read_receipts(pipeline.redis))["p"]
    assert (receipts.written.items, receipts.refused.items, receipts.waiting.items) == (3, 3, 0)

    rows = await pipeline.rows("SELECT id, name, data_type, value, string_value FROM scores FINAL ORDER BY id")

    assert [tuple(row.values()) for row in rows] == [
        ("boolean", "official BOOLEAN", "BOOLEAN", 1, "True"),
        ("category", "official CATEGORICAL", "CATEGORICAL", 2, "good"),
        ("number", "official NUMERIC", "NUMERIC", 3, ""),
    ]
