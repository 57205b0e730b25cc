"""Usage and costs in the forms that programs send."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.model.usage import add_total, legacy_usage, normalise_costs, normalise_usage, sum_of, whole_number


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


@pytest.mark.parametrize("extra", [{"other": 1}, {"prompt_tokens_details": 3}])
def test_anything_more_makes_it_a_free_record(extra: dict[str, Any]) -> None:
    sent = {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30, **extra}

    assert normalise_usage(sent)["prompt_tokens"] == 10


def test_a_missing_total_is_the_sum() -> None:
    assert add_total(normalise_usage({"prompt_tokens": 10, "completion_tokens": 20}))["total"] == 30
    assert add_total({"input": 51, "output": 0, "total": 100})["total"] == 100
    assert add_total({}) == {}


@pytest.mark.parametrize(
    ("value", "number"),
    [(3, 3), ("4", 4), (5.0, 5), (5.5, None), (-1, None), (True, None), ("x", None), (None, None), (10**30, 2**53)],
)
def test_only_whole_numbers_count(value: Any, number: int | None) -> None:
    assert whole_number(value) == number


def test_costs_are_finite_and_bounded() -> None:
    sent = {"a": 0.5, "b": -1, "c": float("inf"), "d": True, "e": "1", "f": 10**9, "g": 0}

    assert normalise_costs(sent) == {"a": 0.5, "f": 999_999.999999, "g": 0.0}


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


def test_a_side_is_the_sum_of_all_types_that_name_it() -> None:
    usage = {"input": 100, "cache_read_input_tokens": 23, "output": 45, "total": 168}

    assert (sum_of(usage, "input"), sum_of(usage, "output"), sum_of({}, "input")) == (123, 45, None)
