"""Usage objects of providers and libraries, as they are, in every place where usage is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from appliance.ingestion.otel.conventions.registry import draft_of
from appliance.ingestion.token_usage import legacy_usage, normalise_usage
from appliance.model.usage import add_total, sum_of
from tests.unit.ingestion.spans import make_span

OPENAI = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
CACHED = {"input": 200, "input_cached_tokens": 800, "output": 100}

OBJECTS: dict[str, tuple[dict[str, Any], dict[str, int]]] = {
    "openai": (OPENAI, {"input": 1000, "output": 100}),
    "openai with one field more": (
        {
            **OPENAI,
            "prompt_tokens_details": {"cached_tokens": 800, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 30},
            "service_tier": "default",
            "cost": 0.002,
            "is_byok": False,
            "cost_details": {"upstream_inference_cost": 19},
        },
        {**CACHED, "input_audio_tokens": 0, "output": 70, "output_reasoning_tokens": 30},
    ),
    "openai details as text": ({**OPENAI, "prompt_tokens_details": "{'cached_tokens': 800}"}, CACHED),
    "openai with text that comes from the cache": (
        {**OPENAI, "prompt_tokens_details": {"cached_tokens": 800, "text_tokens": 700, "audio_tokens": 150}},
        {**CACHED, "input": 50, "input_audio_tokens": 150},
    ),
    "responses": (
        {
            "input_tokens": 1000,
            "input_tokens_details": {"cached_tokens": 800},
            "output_tokens": 100,
            "output_tokens_details": {"reasoning_tokens": 30},
            "total_tokens": 1100,
            "requests": 1,
        },
        {**CACHED, "output": 70, "output_reasoning_tokens": 30, "requests": 1},
    ),
    "camel": (
        {
            "promptTokens": 1000,
            "completionTokens": 100,
            "totalTokens": 1100,
            "promptTokensDetails": {"cachedTokens": 800},
        },
        CACHED,
    ),
    "anthropic": (
        {
            "input_tokens": 200,
            "cache_read_input_tokens": 800,
            "cache_creation_input_tokens": 50,
            "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30},
            "output_tokens": 100,
            "server_tool_use": {"web_search_requests": 2},
            "service_tier": "standard",
        },
        {
            **CACHED,
            "input_cache_creation_5m": 20,
            "input_cache_creation_1h": 30,
            "server_tool_use.web_search_requests": 2,
        },
    ),
    "anthropic with a large input": (
        {
            "input_tokens": 5200,
            "cache_read_input_tokens": 800,
            "output_tokens": 100,
            "iterations": {"count": 1},
        },
        {**CACHED, "input": 5200, "iterations.count": 1},
    ),
    "bedrock": (
        {
            "inputTokens": 5200,
            "outputTokens": 300,
            "totalTokens": 5500,
            "cacheReadInputTokens": 4100,
            "cacheWriteInputTokens": 0,
        },
        {"input": 5200, "input_cached_tokens": 4100, "input_cache_creation": 0, "output": 300},
    ),
    "gemini": (
        {
            "prompt_token_count": 1000,
            "candidates_token_count": 100,
            "thoughts_token_count": 50,
            "total_token_count": 1150,
            "cached_content_token_count": 800,
        },
        {**CACHED, "output_reasoning_tokens": 50},
    ),
    "gemini in camel case": (
        {
            "promptTokenCount": 1000,
            "candidatesTokenCount": 100,
            "thoughtsTokenCount": 50,
            "toolUsePromptTokenCount": 10,
            "totalTokenCount": 1160,
            "cachedContentTokenCount": 800,
            "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 150}, {"modality": "TEXT", "tokenCount": 850}],
            "cacheTokensDetails": [{"modality": "TEXT", "tokenCount": 800}],
        },
        {**CACHED, "input": 50, "input_audio": 150, "input_tool_use_tokens": 10, "output_reasoning_tokens": 50},
    ),
    "deepseek": (
        {
            **OPENAI,
            "prompt_cache_hit_tokens": 800,
            "prompt_cache_miss_tokens": 200,
            "prompt_tokens_details": {"cached_tokens": 800},
        },
        CACHED,
    ),
    "groq": (
        {**OPENAI, "queue_time": 0.01, "prompt_time": 0.002, "completion_time": 1, "total_time": 0.302},
        {"input": 1000, "output": 100},
    ),
    "mistral": ({**OPENAI, "prompt_audio_seconds": 12}, {"input": 1000, "output": 100, "prompt_audio_seconds": 12}),
    "moonshot": ({**OPENAI, "cached_tokens": 800}, CACHED),
    "cohere": (
        {
            "billed_units": {"input_tokens": 1000, "output_tokens": 100},
            "tokens": {"input_tokens": 1900, "output_tokens": 101},
        },
        {"input": 1000, "output": 100},
    ),
    "langchain": (
        {
            "input_tokens": 1000,
            "output_tokens": 100,
            "total_tokens": 1100,
            "input_token_details": {"cache_read": 800},
            "output_token_details": {"reasoning": 30},
        },
        {**CACHED, "output": 70, "output_reasoning_tokens": 30},
    ),
    "ollama": (
        {"prompt_eval_count": 1000, "eval_count": 100, "total_duration": 5191566416, "eval_duration": 4000000000},
        {"input": 1000, "output": 100},
    ),
    "xai": (
        {
            "prompt_tokens": 1000,
            "completion_tokens": 100,
            "total_tokens": 1194,
            "prompt_tokens_details": {"text_tokens": 1000, "cached_tokens": 800},
            "completion_tokens_details": {"reasoning_tokens": 94},
            "num_sources_used": 0,
        },
        {**CACHED, "output_reasoning_tokens": 94, "num_sources_used": 0},
    ),
    "xai by flat names": (
        {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1194, "reasoning_tokens": 94},
        {"input": 1000, "output": 100, "output_reasoning_tokens": 94},
    ),
    "openrouter": (
        {**OPENAI, "prompt_tokens_details": {"cached_tokens": 800, "cache_write_tokens": 150}},
        {**CACHED, "input": 50, "input_cache_creation": 150},
    ),
    "litellm": (
        {
            **OPENAI,
            "cache_read_input_tokens": 800,
            "cache_creation_input_tokens": 0,
            "prompt_tokens_details": {"cached_tokens": 800},
        },
        {**CACHED, "input_cache_creation": 0},
    ),
    "vercel 5": (
        {
            "inputTokens": 1000,
            "outputTokens": 100,
            "totalTokens": 1100,
            "reasoningTokens": 30,
            "cachedInputTokens": 800,
        },
        {**CACHED, "output": 70, "output_reasoning_tokens": 30},
    ),
    "vercel's providers": (
        {
            "inputTokens": {"total": 1000, "noCache": 200, "cacheRead": 800},
            "outputTokens": {"total": 100, "reasoning": 30},
        },
        {**CACHED, "output": 70, "output_reasoning_tokens": 30},
    ),
    "pydantic": (
        {"input_tokens": 1000, "cache_read_tokens": 800, "output_tokens": 100, "details": {"reasoning_tokens": 30}},
        {**CACHED, "reasoning_tokens": 30},
    ),
    "bedrock's headers": (
        {"inputTokenCount": 5200, "outputTokenCount": 300, "cacheReadInputTokenCount": 4100, "invocationLatency": 3},
        {"input": 5200, "input_cached_tokens": 4100, "output": 300},
    ),
    "smolagents": (
        {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100, "timing": {"duration": 4}, "created": 17},
        {"input": 1000, "output": 100},
    ),
    "within an answer": ({"usage": {**OPENAI, "prompt_tokens_details": None}}, {"input": 1000, "output": 100}),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_the_object_of_a_provider_as_usage_details(name: str) -> None:
    sent, expected = OBJECTS[name]
    usage = normalise_usage(sent)
    total = usage.pop("total")

    assert usage == expected
    assert total == sum(units for key, units in usage.items() if "input" in key or "output" in key)


@pytest.mark.parametrize("name", OBJECTS)
def test_the_same_in_the_old_field_and_as_an_attribute(name: str) -> None:
    sent, expected = OBJECTS[name]
    attributes = {"langfuse.observation.type": "generation", "langfuse.observation.usage_details": json.dumps(sent)}

    assert draft_of(make_span(attributes)).usage == normalise_usage(sent)
    usage, costs = legacy_usage(sent)
    assert {key: units for key, units in usage.items() if key != "total"} == expected
    assert costs == {}


@pytest.mark.parametrize(
    "sent",
    [
        {"prompt_tokens": 10, "completion_tokens": 20},
        {"input_tokens": 10, "output_tokens": 20},
        {"input_tokens": 10, "output_tokens": 20, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 0},
        {"input": 7, "output": 3, "cache_read_input_tokens": 2, "total": 12},
        {"input": 51, "output": 0, "total": 100},
        {"input": 10, "images": 3, "output_reasoning": 4},
    ],
)
def test_records_that_add_up_are_kept_as_they_are(sent: dict[str, int]) -> None:
    assert normalise_usage(sent) == sent


def test_parts_that_langfuse_names_are_taken_out_of_sides_that_hold_them() -> None:
    sent = {"input": 1000, "output": 100, "total": 1100, "cache_read_input_tokens": 800, "output_reasoning": 30}

    assert normalise_usage(sent) == {**sent, "input": 200, "output": 70}


def test_details_beside_the_old_fields_own_words() -> None:
    sent = {"input": 1000, "output": 100, "total": 1100, "unit": "TOKENS", "input_cost": 0.1}
    details = {"prompt_tokens_details": {"cached_tokens": 800}}

    assert legacy_usage({**sent, **details}) == ({**CACHED, "total": 1100}, {"input": 0.1})


def test_sides_that_are_objects() -> None:
    sent = {"input": {"total": 1000, "cached": 800}, "output": {"total": 100}, "total": 1100}

    assert normalise_usage(sent) == {**CACHED, "total": 1100}


def test_units_that_name_no_side_are_all_there_is() -> None:
    assert add_total(normalise_usage({"billed_units": {"search_units": 2}})) == {"search_units": 2, "total": 2}


def test_seconds_have_a_fraction() -> None:
    assert normalise_usage({"seconds": 521.5}) == {"seconds": 521.5}
    assert legacy_usage({"input": 3.4, "output": 0, "unit": "SECONDS"})[0] == {"input": 3.4, "output": 0}


def test_old_field_with_openai_names_and_prices() -> None:
    usage, costs = legacy_usage({"prompt_tokens": 10, "completion_tokens": 5, "totalCost": 0.5, "unit": "TOKENS"})

    assert (usage, costs) == ({"input": 10, "output": 5}, {"total": 0.5})


@pytest.mark.parametrize("text", ["{'a': ", "{" * 9000, "{'a': __import__('os')}", "{'cache_read': 'x'}"])
def test_text_that_only_looks_like_details(text: str) -> None:
    assert normalise_usage({**OPENAI, "prompt_tokens_details": text}) == {"input": 1000, "output": 100, "total": 1100}


def test_sides_of_all_names_are_found() -> None:
    assert sum_of(add_total(normalise_usage({"input_tokens": 3, "cache_read_input_tokens": 4})), "input") == 7
