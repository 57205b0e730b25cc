"""Regular expressions from users."""

from __future__ import annotations

import pytest

from appliance.model.patterns import BadPattern, compiled, found_in


@pytest.mark.parametrize(
    ("pattern", "text", "is_found"),
    [
        ("(?i)^(gpt-4o)$", "GPT-4o", True),
        ("^gpt-4o$", "GPT-4o", False),
        ("(?i)gpt", "my-GPT-4", True),
        ("^[[:alpha:]]+-[[:digit:]]$", "model-4", True),
        (r"\mmodel\M", "a model b", True),
        ("^(?!other)m", "m", True),
    ],
)
def test_what_postgres_and_python_users_write(pattern: str, text: str, is_found: bool) -> None:
    assert found_in(pattern, text) is is_found


@pytest.mark.parametrize("pattern", ["(", "*a", "[a", "(?P<a"])
def test_bad_patterns_are_told_and_match_nothing(pattern: str) -> None:
    with pytest.raises(BadPattern, match="regular expression"):
        compiled(pattern)

    assert not found_in(pattern, "a")


def test_a_pattern_that_never_ends_matches_nothing() -> None:
    assert not found_in("^(a|aa)+$", "a" * 500 + "b")
