"""Usage and costs in the forms that programs send."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.model.usage import add_total, normalise_costs, rounded, sum_of, units_of, whole_number


def test_a_missing_total_is_the_sum() -> None:
    assert add_total({"prompt_tokens": 10, "completion_tokens": 20})["total"] == 30
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


def test_a_side_is_the_sum_of_all_types_that_name_it() -> None:
    usage = {"input": 100, "cache_read_input_tokens": 23, "output": 45, "total": 168}

    assert (sum_of(usage, "input"), sum_of(usage, "output"), sum_of({}, "input")) == (123, 45, None)


@pytest.mark.parametrize(
    ("sent", "units"),
    [(521.5, 521.5), ("3.4", 3.4), ("1e3", 1000), (4.0, 4), (0.2, 0.2), (-0.5, None), ("x", None), (True, None)],
)
def test_units_may_have_a_fraction(sent: Any, units: float | None) -> None:
    assert units_of(sent) == units


def test_halves_are_rounded_up() -> None:
    assert rounded({"a": 521.5, "b": 2.5, "c": 0.4, "d": 3}) == {"a": 522, "b": 3, "c": 0, "d": 3}


def test_costs_by_other_names() -> None:
    sent = {"input_cost": 0.01, "outputCost": 0.02, "cache_read_cost": 0.003, "total_cost_usd": 0.033, "input": 0.01}
    assert normalise_costs(sent) == {"input": 0.01, "output": 0.02, "input_cache_read": 0.003, "total": 0.033}
    assert normalise_costs({"cost": 0.5, "search": 0.1}) == {"total": 0.5, "search": 0.1}
