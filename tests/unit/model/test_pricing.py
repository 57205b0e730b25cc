"""Models by name, tiers by usage, and amounts."""

from __future__ import annotations

import re

import msgspec
import pytest

from appliance.model.price_names import price_of
from appliance.model.price_table import built_in_models
from appliance.model.pricing import (
    ModelDefinition,
    Pricing,
    PricingTier,
    TierCondition,
    price_usage,
    total_of,
)

BUILT_IN = Pricing(built_in_models())


@pytest.mark.parametrize(
    ("name", "million_in", "million_out"),
    [
        ("gpt-3.5-turbo", 0.5, 1.5),
        ("gpt-4o-2024-08-06", 2.5, 10),
        ("openai/gpt-4o-mini", 0.15, 0.6),
        ("claude-3-5-sonnet-20241022", 3, 15),
        ("gemini-1.5-pro", 1.25, 5),
    ],
)
def test_built_in_prices(name: str, million_in: float, million_out: float) -> None:
    model = BUILT_IN.match("p", name, 0)
    assert model is not None
    tier = model.tier_for({"input": 10})
    assert tier is not None
    assert tier.prices["input"] * 1e6 == pytest.approx(million_in)
    assert tier.prices["output"] * 1e6 == pytest.approx(million_out)


def test_an_unknown_model_has_no_price() -> None:
    assert BUILT_IN.match("p", "our-own-model", 0) is None


def test_every_built_in_model_is_sound() -> None:
    models = built_in_models()
    assert len({model.id for model in models}) == len(models) > 300
    for model in models:
        re.compile(model.match_pattern)
        assert [tier.is_default for tier in model.pricing_tiers].count(True) == 1
        assert all(0 <= price < 1 for tier in model.pricing_tiers for price in tier.prices.values())


def make_model(id: str, prices: dict[str, float], project_id: str | None = None, *more: PricingTier) -> ModelDefinition:
    tier = PricingTier(id=f"{id}-t", name="Standard", prices=prices)
    return ModelDefinition(
        id=id, model_name=id, match_pattern="(?i)^m$", pricing_tiers=(tier, *more), project_id=project_id
    )


def test_a_projects_own_definition_wins() -> None:
    pricing = Pricing([make_model("ours", {})], [make_model("theirs", {}, "p")])

    found = [pricing.match(project, "M", 0) for project in ("p", "q")]

    assert [model.id for model in found if model] == ["theirs", "ours"]


def test_the_first_tier_whose_conditions_hold() -> None:
    condition = TierCondition(usage_detail_pattern="input", operator="gt", value=100)
    large = PricingTier(
        id="l", name="Large", prices={"input": 2.0}, is_default=False, priority=1, conditions=(condition,)
    )
    model = make_model("m", {"input": 1.0}, None, large)

    small_tier, large_tier = model.tier_for({"input": 100}), model.tier_for({"input": 60, "input_cached_tokens": 41})

    assert small_tier is not None and small_tier.name == "Standard"
    assert large_tier is not None and large_tier.name == "Large"


def test_costs_by_usage_type() -> None:
    tier = PricingTier(id="t", name="t", prices={"input": 0.001, "output": 0.002})

    assert price_usage({"input": 10, "output": 5, "total": 15, "other": 3}, tier) == {
        "input": 0.01,
        "output": 0.01,
        "total": 0.02,
    }
    assert price_usage({"other": 3}, tier) == {}


def test_a_model_priced_by_total_costs_that_alone() -> None:
    tier = PricingTier(id="t", name="t", prices={"total": 0.001})

    assert price_usage({"input": 10, "output": 5, "total": 15}, tier) == {"total": 0.015}


def test_all_tokens_of_a_model_without_output_are_input() -> None:
    embedding = PricingTier(id="t", name="t", prices={"input": 0.001})

    assert price_usage({"total": 15}, embedding) == {"total": 0.015}
    assert price_usage({"total": 15}, PricingTier(id="t", name="t", prices={"input": 0.001, "output": 1.0})) == {}


def test_totals_of_provided_costs() -> None:
    assert total_of({"input": 1.0, "output": 2.0}) == 3.0
    assert total_of({"input": 1.0, "total": 9.0}) == 9.0
    assert total_of({"input": 1.0, "output": 0.5, "input_cached_tokens": 2.0}) == 3.5
    assert total_of({}) is None


def test_a_tier_by_an_attribute() -> None:
    condition = TierCondition(operator="in", source="model_parameters", key="service_tier", values=("priority", "fast"))
    fast = PricingTier(
        id="f", name="Fast", prices={"input": 2.0}, is_default=False, priority=1, conditions=(condition,)
    )
    model = make_model("m", {"input": 1.0}, None, fast)

    tiers = [
        model.tier_for({"input": 1}, {"model_parameters": parameters, "metadata": {}})
        for parameters in ({"service_tier": "fast"}, {"service_tier": "slow"}, {})
    ]

    assert [tier.name for tier in tiers if tier] == ["Fast", "Standard", "Standard"]
    assert model.reads_attributes and not make_model("n", {}).reads_attributes


@pytest.mark.parametrize(("start", "counts"), [(5, "undated"), (10, "old"), (19, "old"), (20, "new")])
def test_the_newest_own_definition_that_had_begun(start: int, counts: str) -> None:
    own = [
        msgspec.structs.replace(make_model(id, {}, "p"), start_date=begins)
        for id, begins in (("new", 20), ("undated", None), ("old", 10))
    ]

    found = Pricing([make_model("ours", {})], own).match("p", "m", start)

    assert found is not None and found.id == counts


def test_no_model_has_a_name_of_a_thousand_characters() -> None:
    pricing = Pricing([make_model("m", {})])
    assert pricing.match("p", "m", 0) is not None
    assert pricing.match("p", "m" * 1_001, 0) is None
    assert list(pricing._by_name) == [("", "m")]


@pytest.mark.parametrize(
    ("usage_type", "price"),
    [
        ("input_retrieved", 1.0),
        ("output_tool_arguments", 2.0),
        ("cache_read_input_tokens", 0.1),
        ("input_cached_tokens", 0.1),
        ("input_cached_audio", 0.1),
        ("input_cache_creation_1h", 1.0),
        ("prompt_tokens", 1.0),
        ("completion_tokens", 2.0),
        ("output_reasoning_tokens", 2.0),
        ("reasoning_tokens", None),
        ("seconds", None),
        ("total", None),
    ],
)
def test_a_part_without_a_price_costs_what_its_side_does(usage_type: str, price: float | None) -> None:
    assert price_of(usage_type, {"input": 1.0, "output": 2.0, "input_cache_read": 0.1}) == price


def test_sides_without_a_price_make_no_part_cost_anything() -> None:
    assert price_of("input_cached_tokens", {"total": 1.0}) is None
    assert price_of("output_reasoning", {"input": 1.0}) is None


@pytest.mark.parametrize(
    "name",
    [
        *("deepseek-r1:7b", "deepseek/deepseek-r1:free", "openrouter/google/gemini-2.0-flash-exp:free", "gpt-oss:20b"),
        *("llama3:latest", "mixtral:8x7b", "ollama/mistral-large", "ollama_chat/deepseek-r1:14b", "command-r:35b"),
        *("gemma3n:e4b", "gemma3:270m", "qwen3:30b-a3b", "llama3.1:8b-instruct-q4_K_M", "mistral:instruct"),
        *("hosted_vllm/deepseek-ai/DeepSeek-V3", "lm_studio/gpt-oss-20b", "hf.co/bartowski/Llama-3.2-3B-GGUF:Q4_K_M"),
        *("gpt-oss:120b-cloud", "registry.ollama.ai/library/mistral:7b", "command-r:v0.1"),
    ],
)
def test_local_models_and_free_variants_cost_nothing(name: str) -> None:
    model = BUILT_IN.match("p", name, 0)

    assert model is not None and model.default_tier is not None
    assert price_usage({"input": 10**6, "output": 10**6, "input_cached_tokens": 5}, model.default_tier)["total"] == 0


@pytest.mark.parametrize(
    "name",
    [
        *("anthropic.claude-3-5-sonnet-20241022-v2:0", "deepseek-r1", "gpt-4o", "openai/gpt-4o:online"),
        *("ft:gpt-4o-mini-2024-07-18:my-org:code:7b", "anthropic/claude-sonnet-4.5:thinking", "mistral-large-latest"),
        "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-haiku-4-5-20251001-v1:0",
    ],
)
def test_names_with_colons_that_hosted_models_have(name: str) -> None:
    model = BUILT_IN.match("p", name, 0)

    assert model is None or "local" not in model.id
