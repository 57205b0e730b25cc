"""What spans say of the price, the tokens and the beginning of an answer, in many forms."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.ingestion.otel.conventions.registry import draft_of
from appliance.ingestion.otel.observation import complete_metadata, observation_of
from appliance.ingestion.otel.span import SpanEvent
from appliance.model.observations import Observation
from appliance.model.price_table import built_in_models
from appliance.model.pricing import Pricing
from tests.unit.ingestion.spans import SOURCE, make_span

PRICING = Pricing(built_in_models())
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "our-own"}


def row_of(attributes: dict[str, Any], *, lasts: int = 3_000_000, **options: Any) -> Observation:
    span = make_span(attributes, **{"scope": "other", **options})
    span.end = span.start + lasts
    draft = draft_of(span)
    complete_metadata(span, draft)
    return observation_of(span, draft, SOURCE, PRICING)


@pytest.mark.parametrize(
    ("attributes", "costs"),
    [
        ({"operation.cost": 0.36}, {"total": 0.36}),
        ({"gen_ai.usage.cost": "0.36"}, {"total": 0.36}),
        ({"gen_ai.usage.total_cost": 0.36, "operation.cost": 0.36}, {"total": 0.36}),
        (
            {"gen_ai.usage.input_cost": 0.2, "gen_ai.usage.output_cost": 0.1, "gen_ai.usage.total_cost": 0.3},
            {"input": 0.2, "output": 0.1, "total": 0.3},
        ),
        (
            {"gen_ai.cost.input_cost": 0.2, "gen_ai.cost.output_cost": 0.1, "gen_ai.cost.original_cost": 9},
            {"input": 0.2, "output": 0.1, "total": 0.3},
        ),
        (
            {"gen_ai.usage.cost.input": 0.2, "gen_ai.usage.cost.total": 0.3},
            {"input": 0.2, "total": 0.3},
        ),
        (
            {"llm.cost.prompt": 0.2, "llm.cost.completion": 0.1, "llm.cost.prompt_details.cache_read": 0.05},
            {"input": 0.2, "output": 0.1, "total": 0.3},
        ),
        (
            {"llm.cost.prompt_details.input": 0.2, "llm.cost.prompt_details.cache_read": 0.1},
            {"input": 0.2, "input_cache_read": 0.1, "total": 0.3},
        ),
        ({"cost_usd": 0.36}, {"total": 0.36}),
        ({"gen_ai.usage.cost_usd": 0.36}, {"total": 0.36}),
        ({"gen_ai.usage.cost": '{"prompt": 0.2, "completion_cost": 0.1}'}, {"input": 0.2, "output": 0.1, "total": 0.3}),
        ({"gen_ai.usage.cost": 0.3, "gen_ai.usage.cost_details": '{"upstream_inference_cost": 9}'}, {"total": 0.3}),
        (
            {"langfuse.observation.cost_details.input": 0.1, "langfuse.observation.cost_details.tool": 0.2},
            {"input": 0.1, "tool": 0.2, "total": 0.3},
        ),
        ({"gen_ai.usage.total_cost": 0.36, "gen_ai.usage.currency": "EUR"}, {}),
        ({"gen_ai.usage.total_cost": 0.36, "gen_ai.usage.currency": "usd"}, {"total": 0.36}),
        ({"gen_ai.usage.total_cost": "cheap", "gen_ai.usage.cost_center": 7, "shipping.cost": 8}, {}),
    ],
)
def test_costs_under_all_names(attributes: dict[str, Any], costs: dict[str, float]) -> None:
    assert row_of(CHAT | attributes).cost_details == pytest.approx(costs)


def test_what_nobody_understands_of_usage_and_costs_stays_in_the_metadata() -> None:
    odd = {
        "gen_ai.usage.currency": "USD",
        "gen_ai.usage.details.tier": "flex",
        "gen_ai.usage.seconds": 3.5,
        "gen_ai.usage.cost_center": "x7",
        "gen_ai.cost.original_cost": 9,
        "llm.usage.speed": "fast",
        "llm.token_count.method": "guess",
    }
    row = row_of(CHAT | odd | {"gen_ai.usage.input_tokens": 1, "gen_ai.usage.total_cost": 0.5})

    assert all(f'"{key}"' in row.metadata["attributes"] for key in odd)
    assert (row.usage_details, row.total_cost) == ({"input": 1, "total": 1}, 0.5)


SECOND = 1_000_000


@pytest.mark.parametrize(
    ("attributes", "after"),
    [
        ({"gen_ai.response.time_to_first_chunk": 0.42}, 420_000),
        ({"gen_ai.client.operation.time_to_first_chunk": "0.42"}, 420_000),
        ({"gen_ai.server.time_to_first_token": 2}, 2 * SECOND),
        ({"ttft_ms": 850}, 850_000),
        ({"gen_ai.time_to_first_token_ms": 850.0}, 850_000),
        ({"time_to_first_token": 850}, 850_000),
        ({"time_to_first_token_ns": 420_000_000}, 420_000),
        ({"llm.timeToFirstTokenMs": 420}, 420_000),
        ({"time_to_first_token": 420_000_000}, 420_000),
        ({"lk.response.ttft": 0.5}, 500_000),
        ({"gen_ai.response.first_token_latency": 0.5}, 500_000),
        ({"first_token_time": "1970-01-01T00:00:01.5Z"}, 500_000),
        ({"mastra.completion_start_time": "1970-01-01T00:00:01.500Z"}, 500_000),
        ({"langfuse.observation.completion_start_time": '"1970-01-01T00:00:01.5Z"'}, 500_000),
        ({"time_to_first_token": -1}, None),
        ({"time_to_first_token": "soon"}, None),
        ({"gen_ai.request.first_tokens": 5}, None),
    ],
)
def test_when_the_first_token_came(attributes: dict[str, Any], after: int | None) -> None:
    row = row_of(CHAT | attributes)

    assert row.completion_start_time == (None if after is None else row.start_time + after)


@pytest.mark.parametrize("per_second", [1, 10**3, 10**6, 10**9])
def test_moments_as_numbers(per_second: int) -> None:
    row = row_of(CHAT | {"llm.first_token_at": 1_700_000_000 * per_second})

    assert row.completion_start_time == 1_700_000_000_000_000


@pytest.mark.parametrize(
    "name", ["gen_ai.first_token", "First Token Stream Event", "new_token", "llm.content.completion.chunk"]
)
def test_the_first_of_the_events_of_a_stream(name: str) -> None:
    events = [SpanEvent(name, 1_000_000 + after, {}) for after in (700, 500, 900)]

    assert row_of(CHAT, events=events).completion_start_time == 1_000_500


def test_only_calls_have_a_first_token() -> None:
    assert row_of({"time_to_first_byte": 0.5}).completion_start_time is None


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai.response.model": "gateway-default", "gen_ai.request.model": "gpt-4o", "gen_ai.operation.name": "chat"},
        {"llm.response.model": "gateway-default", "llm.model_name": "gpt-4o", "openinference.span.kind": "LLM"},
        {"llm.response.model": "gateway-default", "llm.request.model": "gpt-4o", "llm.request.type": "chat"},
        {
            "ai.operationId": "ai.generateText.doGenerate",
            "ai.response.model": "gateway-default",
            "ai.model.id": "gpt-4o",
        },
    ],
)
def test_the_model_that_was_asked_for_has_the_price(attributes: dict[str, Any]) -> None:
    row = row_of({**attributes, "gen_ai.usage.input_tokens": 1000})

    assert row.model == "gateway-default"
    assert row.total_cost == pytest.approx(1000 * 2.5e-6)


@pytest.mark.parametrize(
    "attributes",
    [
        {**CHAT, "gen_ai.request.model": "mistral-large", "gen_ai.provider.name": "ollama"},
        {**CHAT, "gen_ai.request.model": "mistral-large", "gen_ai.system": "Ollama"},
        {"openinference.span.kind": "LLM", "llm.model_name": "gpt-4o", "llm.provider": "vllm"},
        {"ai.operationId": "ai.generateText.doGenerate", "ai.model.id": "gpt-4o", "ai.model.provider": "lmstudio.chat"},
    ],
)
def test_what_runs_locally_costs_nothing(attributes: dict[str, Any]) -> None:
    assert row_of({**attributes, "gen_ai.usage.input_tokens": 1000}).total_cost == 0


@pytest.mark.parametrize("scope", ["opentelemetry.instrumentation.bedrock", "ruby_llm"])
def test_libraries_whose_input_leaves_out_the_cache(scope: str) -> None:
    counts = {"input_tokens": 5200, "cache_read_input_tokens": 4100, "output_tokens": 300, "total_tokens": 5500}
    attributes = CHAT | {f"gen_ai.usage.{key}": units for key, units in counts.items()}
    expected = {"input": 5200, "input_cached_tokens": 4100, "output": 300, "total": 9600}

    assert row_of(attributes, scope=scope).usage_details == expected
    assert row_of(attributes).usage_details == {**expected, "input": 1100, "total": 5500}


def test_details_as_the_text_of_a_python_dict() -> None:
    details = "{'cache_read': 48000, 'cache_creation': 1500}"
    counts = {"gen_ai.usage.input_tokens": 50000, "gen_ai.usage.input_token_details": details}

    expected = {"input": 500, "input_cached_tokens": 48000, "input_cache_creation": 1500, "total": 50000}
    assert row_of(CHAT | counts, scope="langsmith").usage_details == expected


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai.usage": '{"prompt_tokens": 1000, "completion_tokens": 100}'},
        {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": "100"},
        {"llm.usage": '{"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}'},
        {"llm.usage.prompt_tokens": 1000, "llm.usage.completion_tokens": 100},
        {"llm.token_count": '{"prompt": 1000, "completion": 100}', "openinference.span.kind": "LLM"},
        {"langfuse.observation.usage_details.input": 1000, "langfuse.observation.usage_details.output": 100},
        {"langfuse.observation.usage_details": '{"prompt_eval_count": 1000, "eval_count": 100}'},
    ],
)
def test_counts_in_one_object_and_apart(attributes: dict[str, Any]) -> None:
    row = row_of(CHAT | attributes)

    assert row.usage_details == {"input": 1000, "output": 100, "total": 1100}
    assert not any(f'"{key}"' in row.metadata.get("attributes", "") for key in attributes)


def test_dotted_parts_of_counts() -> None:
    bifrost = {
        "prompt_tokens": 10400,
        "completion_tokens": 3654,
        "total_tokens": 14054,
        "prompt_token_details.text_tokens": 2660,
        "prompt_token_details.image_tokens": 7740,
        "prompt_token_details.cached_read_tokens": 2048,
        "completion_token_details.reasoning_tokens": 2069,
        "completion_token_details.text_tokens": 1585,
    }
    sentry = {"input_tokens": 5000, "input_tokens.cached": 3000, "input_tokens.cache_write": 1000}

    assert row_of(CHAT | {f"gen_ai.usage.{key}": units for key, units in bifrost.items()}).usage_details == {
        "input": 612,
        "input_image_tokens": 7740,
        "input_cached_tokens": 2048,
        "output": 0,
        "output_text_tokens": 1585,
        "output_reasoning_tokens": 2069,
        "total": 14054,
    }
    assert row_of(CHAT | {f"gen_ai.usage.{key}": units for key, units in sentry.items()}).usage_details == {
        "input": 1000,
        "input_cached_tokens": 3000,
        "input_cache_creation": 1000,
        "total": 5000,
    }


def test_sentrys_names() -> None:
    row = row_of(
        {
            "sentry.op": "gen_ai.generate_text",
            "vercel.ai.operationId": "ai.generateText.doGenerate",
            "vercel.ai.settings.maxRetries": 2,
            "vercel.ai.unknown": "kept",
            "gen_ai.request.model": "gemini-2.5-flash",
            "gen_ai.request.messages": '[{"role":"user","content":"hi"}]',
            "gen_ai.request.available_tools": "[]",
            "gen_ai.response.text": "ho",
        }
    )
    tool = row_of({"sentry.op": "gen_ai.execute_tool", "gen_ai.tool.input": "in", "gen_ai.tool.output": "out"})

    assert (row.type, row.input, row.output) == ("GENERATION", '[{"role":"user","content":"hi"}]', "ho")
    assert row.model_parameters == '{"maxRetries":"2"}'
    assert '"vercel.ai.unknown":"kept"' in row.metadata["attributes"]
    assert (tool.type, tool.input, tool.output) == ("TOOL", "in", "out")


def test_claude_code() -> None:
    counts = {"input_tokens": 6, "output_tokens": 480, "cache_read_tokens": 3, "cache_creation_tokens": 2}
    call = row_of(
        {"span.type": "llm_request", "gen_ai.request.model": "claude-sonnet-4-5", "ttft_ms": 850, **counts},
        name="claude_code.llm_request",
    )
    output = [SpanEvent("tool.output", 0, {"content": "1 file changed"})]
    tool = row_of({"span.type": "tool", "tool_name": "Edit", "file_path": "/a"}, name="claude_code.tool", events=output)
    turn = row_of({"span.type": "interaction", "user_prompt": "rename"}, name="claude_code.interaction")

    assert call.usage_details == {
        "input": 6,
        "input_cached_tokens": 3,
        "input_cache_creation": 2,
        "output": 480,
        "total": 491,
    }
    assert (call.type, call.completion_start_time) == ("GENERATION", call.start_time + 850_000)
    assert (tool.type, tool.name, tool.input, tool.output) == ("TOOL", "Edit", "/a", "1 file changed")
    assert (turn.type, turn.input) == ("AGENT", "rename")


@pytest.mark.parametrize(
    "attributes",
    [
        {"model": "gpt-4o", "prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
        {"model": "gpt-4o", "usage": '{"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}'},
        {"gen_ai.operation.name": "chat", "input_tokens": 1000, "output_tokens": 100},
    ],
)
def test_counts_without_a_prefix(attributes: dict[str, Any]) -> None:
    assert row_of(attributes).usage_details == {"input": 1000, "output": 100, "total": 1100}
    assert row_of({"input_tokens": 5}).usage_details == {}
