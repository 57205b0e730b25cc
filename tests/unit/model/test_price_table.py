"""The price table that comes with the package."""

from __future__ import annotations

from importlib import resources

import pytest

from appliance.model.price_table import built_in_models
from appliance.model.pricing import Pricing
from tests.price_table.make import price_table

PRICING = Pricing(built_in_models())


def test_the_table_is_what_its_command_makes() -> None:
    assert (resources.files("appliance.model") / "prices.json").read_text() == price_table()


@pytest.mark.parametrize(
    ("name", "prices"),
    [
        ("gpt-4o", {"input": 2.5, "input_cached_tokens": 1.25, "output": 10}),
        ("gpt-35-turbo", {"input": 0.5, "output": 1.5}),
        ("azure/gpt-4.1", {"input": 2, "input_cache_read": 0.5, "output": 8}),
        ("o3", {"input": 2, "output": 8, "output_reasoning_tokens": 8}),
        (
            "claude-sonnet-4-5-20250929",
            {
                "input": 3,
                "cache_read_input_tokens": 0.3,
                "cache_creation_input_tokens": 3.75,
                "input_cache_creation_5m": 3.75,
                "input_cache_creation_1h": 6,
                "output": 15,
            },
        ),
        ("vertex_ai/claude-sonnet-4-5@20250929", {"input": 3, "output": 15}),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", {"input": 3.3, "input_cache_creation_1h": 6.6}),
        ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", {"input": 3, "output": 15}),
        (
            "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-haiku-4-5-20251001-v1:0",
            {"input": 1.1, "output": 5.5},
        ),
        ("projects/p/locations/l/publishers/google/models/gemini-2.5-flash", {"input": 0.3, "output": 2.5}),
        ("models/gemini-2.5-pro", {"input": 1.25, "input_cache_read": 0.125, "output": 10}),
        ("mistral-large-latest", {"input": 2, "output": 6}),
        ("command-r-plus-08-2024", {"input": 2.5, "output": 10}),
        ("deepseek-chat", {"input": 0.27, "output": 1.1}),
        ("grok-4", {"input": 3, "output": 15}),
        ("llama-3.3-70b-versatile", {"input": 0.59, "output": 0.79}),
        ("us.meta.llama4-maverick-17b-instruct-v1:0", {"input": 0.24, "output": 0.97}),
        ("amazon.nova-pro-v1:0", {"input": 0.8, "output": 3.2}),
        ("openrouter/anthropic/claude-sonnet-4.5", {"input": 3, "output": 15}),
        ("text-embedding-3-small", {"input": 0.02}),
    ],
)
def test_names_that_providers_and_gateways_use(name: str, prices: dict[str, float]) -> None:
    model = PRICING.match("p", name, 0)
    assert model is not None and model.default_tier is not None
    found = {kind: price * 1e6 for kind, price in model.default_tier.prices.items() if kind in prices}

    assert found == pytest.approx(prices)


@pytest.mark.parametrize(
    ("tier", "usage", "million_in"),
    [
        (None, 10, 2.5),
        ("default", 10, 2.5),
        ("priority", 10, 5),
        ("flex", 10, 1.25),
        ("batch", 10, 1.25),
        (None, 300_000, 5),
        ("flex", 300_000, 2.5),
    ],
)
def test_ways_of_processing_and_large_contexts(tier: str | None, usage: int, million_in: float) -> None:
    model = PRICING.match("p", "gpt-5.4", 0)
    assert model is not None
    found = model.tier_for({"input": usage}, {"model_parameters": {"service_tier": tier} if tier else {}})

    assert found is not None and found.prices["input"] * 1e6 == pytest.approx(million_in)
