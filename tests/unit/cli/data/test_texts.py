"""Values as short texts."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from appliance.cli.data import texts


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, ""), (0.0004, "0 ms"), (0.85, "850 ms"), (1.24, "1.24 s"), (200, "3m 20s")]
)
def test_durations_read_well(seconds: float | None, text: str) -> None:
    assert texts.duration(seconds) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [(None, ""), (0, ""), (12.345, "$12.35"), (0.00451, "$0.0045"), (0.00045, "$0.00045"), (0.0000021, "$0.0000021")],
)
def test_costs_keep_small_amounts_apart(amount: float | None, text: str) -> None:
    assert texts.usd(amount) == text


def test_what_is_no_time_is_shown_as_it_is() -> None:
    for show in (texts.moment, texts.short_moment):
        assert [show(text) for text in (None, "", "soon\x1b")] == ["", "", "soon·"]
    assert texts.between("soon", "2026-01-01T00:00:00Z") == ""
    assert texts.between("2026-01-01T00:00:00", "2026-01-01T00:00:01") == "1.00 s"


def test_a_preview_is_one_line() -> None:
    assert texts.preview({"a": ["b\nc", 1]}) == '{"a": ["b\\nc", 1]}'
    assert texts.preview("a\n b") == "a b"
    assert texts.preview(None) == ""


@pytest.mark.parametrize(
    ("age", "text"), [(timedelta(0), "12:00:00"), (timedelta(days=2), "Mon 12:00"), (timedelta(days=9), "2026-01-05")]
)
def test_a_short_moment_says_what_tells_days_apart(age: timedelta, text: str) -> None:
    now = datetime(2026, 1, 14, 12).astimezone()
    assert texts.short_moment((now - age).isoformat(), now) == text
