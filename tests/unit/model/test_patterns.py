"""Regular expressions from users."""

from __future__ import annotations

import pytest

from appliance.model import patterns
from appliance.model.patterns import BadPattern, Searches, check_patterns, compiled, found_in


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


def test_a_pattern_that_takes_too_long_is_set_aside() -> None:
    searches = Searches()
    assert searches.found_in("^(a|aa)+$", "a" * 10)
    assert not searches.found_in("^(a|aa)+$", "a" * 500 + "b")
    assert searches.set_aside == {"^(a|aa)+$"}
    assert not searches.found_in("^(a|aa)+$", "a" * 10)


class Clock:
    """Processor time that passes only when a pattern says so: its first number, in microseconds, with each search."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._is_end = False
        self.cost_s = 0.0

    def __call__(self) -> float:
        self.seconds += self.cost_s if self._is_end else 0.0
        self._is_end = not self._is_end
        return self.seconds


def test_all_searches_together_have_a_budget_however_many_patterns_and_names() -> None:
    clock = Clock()
    searches = Searches(clock)
    costs = {f"slow{number}": 0.005 for number in range(50)} | {f"good{number}": 0.000_005 for number in range(50)}
    for name in range(300):
        for pattern, cost_s in costs.items():
            clock.cost_s = 0.0 if pattern in searches.set_aside else cost_s
            searches.found_in(pattern, f"name {name}")
    assert searches.set_aside == {pattern for pattern in costs if pattern.startswith("slow")}
    assert clock.seconds < 2


def test_ordinary_patterns_are_never_set_aside() -> None:
    clock = Clock()
    clock.cost_s = 0.000_02
    searches = Searches(clock)
    for number in range(50_000):
        searches.found_in(f"^model-{number % 20}$", f"model-{number}")
    assert searches.set_aside == set()


@pytest.mark.parametrize("pattern", ["(a|aa)+$", "^(?:gpt|gp|g|p|t)+$", "(a|a)*$", "x" * 1001, "("])
def test_patterns_that_cannot_be_used_are_refused(pattern: str) -> None:
    with pytest.raises(BadPattern):
        check_patterns([pattern])


@pytest.mark.parametrize(
    "pattern",
    [
        "(?i)^(gpt-4o)$",
        "^(?!other)m",
        r"\mmodel\M",
        r"(?i)^(openai/)?(gpt-4o|gpt-4o-mini)(-\d{4}-\d{2}-\d{2})?$",
        r".*claude.*sonnet.*",
        r"^(eu\.|us\.)?anthropic\.claude-[\w-]+(:\d+)?$",
    ],
)
def test_usual_patterns_are_accepted(pattern: str) -> None:
    check_patterns([pattern])


def test_many_patterns_of_one_request_are_checked_within_one_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "_CHECK_S", 0.0)
    with pytest.raises(BadPattern, match="too long"):
        check_patterns(["a"])
