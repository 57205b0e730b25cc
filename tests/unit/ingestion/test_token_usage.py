"""Counts of tokens add up to what was billed, under whatever names."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.ingestion.token_usage import legacy_usage, normalise_usage, raw_details, usage_from_counts
from appliance.model.usage import add_total


@pytest.mark.parametrize(
    ("sent", "usage"),
    [
        ({"input_tokens": 9}, {"input": 9, "total": 9}),
        ({"total_tokens": 9}, {"total": 9}),
        ({"prompt_tokens": "3", "completion": 4.0, "output_tokens": 4}, {"input": 3, "output": 4, "total": 7}),
        (
            {"input_tokens": 123, "output_tokens": 45, "cache_read.input_tokens": 23, "reasoning.output_tokens": 7},
            {"input": 100, "input_cached_tokens": 23, "output": 38, "output_reasoning_tokens": 7, "total": 168},
        ),
        (
            {"input_tokens": 123, "output_tokens": 45, "details.reasoning_tokens": 7, "details.cache_read_tokens": 23},
            {"input": 100, "input_cached_tokens": 23, "output": 45, "reasoning_tokens": 7, "total": 168},
        ),
        (
            {"reasoning.output_tokens": 7, "reasoning_tokens": 7, "output_tokens": 45},
            {"output": 38, "output_reasoning_tokens": 7, "total": 45},
        ),
        (
            {"input_tokens": 123, "output_tokens": 38, "experimental.reasoning_tokens": 7},
            {"input": 123, "output": 38, "output_reasoning_tokens": 7, "total": 168},
        ),
        (
            {"input_tokens": 5, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 0},
            {"input": 5, "input_cached_tokens": 20, "input_cache_creation": 0, "total": 25},
        ),
        (
            {"input_tokens": 90, "output_tokens": 20, "cache_creation_input_tokens": 10, "total_tokens": 120},
            {"input": 90, "input_cache_creation": 10, "output": 20, "total": 120},
        ),
        (
            {"input_tokens": 100, "cache_write.input_tokens": 10, "cache_creation.input_tokens": 10},
            {"input": 90, "input_cache_creation": 10, "total": 100},
        ),
        ({"input_tokens": "NaN", "output_tokens": None, "other": -1}, {}),
    ],
)
def test_counts_add_up(sent: dict[str, Any], usage: dict[str, int]) -> None:
    assert usage_from_counts(sent) == usage


NAMES = ("input_tokens", "output_tokens", "cache_read_tokens", "reasoning.output_tokens", "cache_creation_tokens")


@given(st.dictionaries(st.sampled_from(NAMES), st.integers(0, 1000)))
def test_the_sides_sum_up_to_the_total(sent: dict[str, int]) -> None:
    usage = usage_from_counts(sent)
    sides = sum(units for key, units in usage.items() if "input" in key or "output" in key)

    assert sides == usage.get("total", 0)
    assert all(units >= 0 for units in usage.values())


def test_details_of_the_providers_own_usage() -> None:
    openai = '{"prompt_tokens_details":{"cached_tokens":23},"completion_tokens_details":{"reasoning_tokens":7}}'
    assert raw_details(openai) == {"cache_read_tokens": 23, "output_reasoning_tokens": 7}
    assert raw_details({"cache_creation_input_tokens": 10, "cache_read_input_tokens": 0}) == {"cache_write_tokens": 10}
    assert raw_details("not JSON") == {}


def test_the_completion_shape_takes_details_out() -> None:
    sent = {
        "prompt_tokens": 123,
        "completion_tokens": 45,
        "total_tokens": 168,
        "prompt_tokens_details": {"cached_tokens": 23},
        "completion_tokens_details": {"reasoning_tokens": 7},
    }

    assert normalise_usage(sent) == {
        "input": 100,
        "output": 38,
        "total": 168,
        "input_cached_tokens": 23,
        "output_reasoning_tokens": 7,
    }


def test_the_responses_shape_may_have_null_details() -> None:
    sent = {"input_tokens": 5, "output_tokens": 6, "total_tokens": 11, "input_tokens_details": None}

    assert normalise_usage(sent) == {"input": 5, "output": 6, "total": 11}


def test_the_old_usage_object() -> None:
    assert legacy_usage({"input": 1, "output": 2, "unit": "TOKENS", "inputCost": 0.1}) == (
        {"input": 1, "output": 2},
        {"input": 0.1},
    )
    assert legacy_usage({"promptTokens": 3, "input": 9, "totalTokens": None})[0] == {"input": 3}


def test_parts_that_the_total_shows_to_be_within_are_taken_out() -> None:
    sent = {"input": 123, "output": 45, "total": 168, "input_cached_tokens": 23, "output_reasoning_tokens": 7}

    assert normalise_usage(sent) == {**sent, "input": 100, "output": 38}
    assert normalise_usage({**sent, "total": 198}) == {**sent, "total": 198}


def test_cache_writes_by_lifetime_are_parts_of_all_cache_writes() -> None:
    sent = {"input": 90, "cache_creation_input_tokens": 10, "cache_creation_ephemeral_5m_input_tokens": 10}

    assert add_total(normalise_usage(sent)) == {**sent, "cache_creation_input_tokens": 0, "total": 100}
