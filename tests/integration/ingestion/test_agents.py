"""Totals of agents whose calls came with another request, or never."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.payloads import export, span
from tests.integration.ingestion.conftest import Pipeline

AGENT: dict[str, str | float | None] = {
    "openinference.span.kind": "AGENT",
    "llm.model_name": "claude-sonnet-4-5",
    "llm.token_count.prompt": 12,
    "llm.token_count.completion": 900,
    "llm.cost.total": 0.25,
}
CALL: dict[str, str | float | None] = {
    "openinference.span.kind": "LLM",
    "llm.model_name": "claude-sonnet-4-5",
    "llm.token_count.prompt": 1000,
    "llm.cost.total": 0.25,
}
UNPRICED = {**CALL, "llm.model_name": "our-own", "llm.cost.total": None}


AGENT_ALONE = (span(1, None, AGENT), span(2, 1, {"openinference.span.kind": "TOOL"}))


@pytest.mark.parametrize(
    ("requests", "costs"),
    [
        ([AGENT_ALONE], {1: 0.25}),
        ([(span(3, 2, CALL),), AGENT_ALONE], {3: 0.25}),
        ([AGENT_ALONE, (span(3, 2, CALL),)], {3: 0.25}),
        ([AGENT_ALONE, AGENT_ALONE], {1: 0.25}),
        ([(span(3, 2, UNPRICED),), AGENT_ALONE], {1: 0.25}),
        ([(span(4, 1, AGENT),), AGENT_ALONE], {4: 0.25}),
        ([(span(4, 9, AGENT),), AGENT_ALONE], {1: 0.25, 4: 0.25}),
    ],
)
async def test_the_cost_of_a_trace_is_counted_once(
    pipeline: Pipeline, requests: list[tuple[dict[str, Any], ...]], costs: dict[int, float]
) -> None:
    async with pipeline.worker():
        for spans in requests:
            await pipeline.put("otlp-json", export(*spans))
            await pipeline.drained()

    rows = await pipeline.rows("SELECT id, total_cost AS cost FROM observations_list FINAL WHERE total_cost > 0")
    assert {int(row["id"], 16): row["cost"] for row in rows} == costs


async def test_tokens_of_calls_without_a_price_are_not_counted_twice(pipeline: Pipeline) -> None:
    async with pipeline.worker():
        await pipeline.put("otlp-json", export(span(3, 2, UNPRICED)))
        await pipeline.drained()
        await pipeline.put("otlp-json", export(*AGENT_ALONE))
        await pipeline.drained()

    rows = await pipeline.rows("SELECT sum(usage_details['total']) AS tokens FROM observations FINAL")
    assert rows == [{"tokens": 1000}]
