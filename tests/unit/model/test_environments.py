"""Environment names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.model.environments import _normalised, normalise_environment


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (None, "default"),
        ("", "default"),
        ("Production", "production"),
        ("langfuse-langfuse_dev", "dev"),
        ("langfuse", "default"),
        ("with space", "default"),
        ("x" * 60, "x" * 40),
    ],
)
def test_normalise_environment(sent: str | None, stored: str) -> None:
    assert normalise_environment(sent) == stored


@given(st.text())
def test_what_is_normal_stays_so(text: str) -> None:
    assert normalise_environment(normalise_environment(text)) == normalise_environment(text)


def test_long_names_are_not_remembered() -> None:
    """What anybody sends must not fill the memory."""
    _normalised.cache_clear()
    assert normalise_environment("x" * 1_000_000) == "x" * 40
    assert _normalised.cache_info().currsize == 0
