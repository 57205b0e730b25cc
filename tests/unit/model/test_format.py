"""How numbers, times and texts are shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from appliance.model import format
from appliance.model.messages import parse_messages


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "–"),
        (0, "0 ms"),
        (0.34, "340 ms"),
        (1.236, "1.24 s"),
        (12.34, "12.3 s"),
        (125, "2m 05s"),
        (11400, "3h 10m"),
    ],
)
def test_duration(seconds: float | None, shown: str) -> None:
    assert format.duration(seconds) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(7, "7"), (940, "940"), (3400, "3.4k"), (999_999, "1.0M"), (12_000_000, "12.0M"), (250_000, "250k")],
)
def test_count(value: float, shown: str) -> None:
    assert format.count(value) == shown


@pytest.mark.parametrize(
    ("usd", "shown"),
    [
        (0, "$0"),
        (0.00004, "<$0.0001"),
        (0.00045, "$0.00045"),
        (0.0042, "$0.0042"),
        (0.12, "$0.120"),
        (1.2, "$1.20"),
        (1300, "$1.3k"),
    ],
)
def test_cost(usd: float, shown: str) -> None:
    assert format.cost(usd) == shown


def test_counted() -> None:
    assert [format.counted(number, "trace") for number in (0, 1, 2, 3400)] == [
        "0 traces",
        "1 trace",
        "2 traces",
        "3.4k traces",
    ]


def test_preview_is_the_last_message() -> None:
    messages = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hello\n  there"}]
    assert format.preview(messages) == "hello there"
    assert format.preview({"messages": messages}) == "hello there"
    assert format.preview({"question": "why?"}) == "why?"
    assert format.preview({"a": 1, "b": 2}) == '{"a": 1, "b": 2}'


def test_change() -> None:
    assert format.change(112, 100) == "▲ 12 %"
    assert format.change(88, 100) == "▼ 12 %"
    assert format.change(100, 100) == "="
    assert format.change(5, 0) == ""


def test_clock_shows_the_date_of_older_times() -> None:
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert format.clock(now - timedelta(days=30), now) == "2026-10-24"


def test_references_to_files_are_readable() -> None:
    text = "@@@langfuseMedia:type=image/png|id=uEig0wSz8oCevEy61aDUP9|source=bytes@@@"
    assert format.preview(f"see {text}") == "see [image/png uEig0wSz8oCevEy61aDUP9]"
    messages = parse_messages([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": text}}]}])
    assert messages is not None
    (part,) = messages[0].parts
    assert (part.kind, part.text) == ("media", "[image/png uEig0wSz8oCevEy61aDUP9]")
