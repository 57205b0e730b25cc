"""Totals of agents whose calls came with another request, or never."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.integration.ingestion.conftest import Pipeline

START_S = 1_763_000_000
AGENT = {
    "openinference.span.kind": "AGENT",
    "llm.model_name": "claude-sonnet-4-5",
    "llm.token_count.prompt": 12,
    "llm.token_count.completion": 900,
    "llm.cost.total": 0.25,
}
CALL = {
    "openinference.span.kind": "LLM",
    "llm.model_name": "claude-sonnet-4-5",
    "llm.token_count.prompt": 1000,
    "llm.cost.total": 0.25,
}
UNPRICED = {**CALL, "llm.model_name": "our-own", "llm.cost.total": None}


def span(id: int, parent: int | None, attributes: dict[str, Any]) -> dict[str, Any]:
    values = {
        key: {"stringValue": value} if isinstance(value, str) else {"doubleValue": value}
        for key, value in attributes.items()
        if value is not None
    }
    return {
        "traceId": f"{1:032x}",
        "spanId": f"{id:016x}",
        "parentSpanId": f"{parent:016x}" if parent else "",
        "name": f"span {id}",
        "startTimeUnixNano": str(START_S * 10**9),
        "endTimeUnixNano": str((START_S + 9) * 10**9),
        "attributes": [{"key": key, "value": value} for key, value in values.items()],
    }


def export(*spans: dict[str, Any]) -> bytes:
    return msgspec.json.encode({"resourceSpans": [{"scopeSpans": [{"scope": {"name": "x"}, "spans": spans}]}]})


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
