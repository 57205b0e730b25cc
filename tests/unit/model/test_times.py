"""Points in time."""

from __future__ import annotations

import pytest

from appliance.model.times import LATEST, iso_text, micros_of, moment_of, parse_iso, parse_time


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("1970-01-01T00:00:01Z", 1_000_000),
        ("1970-01-01T01:00:00.000001+01:00", 1),
        ("1970-01-01T01:00:00 01:00", 0),
        ("1970-01-01t00:00:01z", 1_000_000),
        ("0001-01-01T00:00:00+14:00", 0),
        ("9999-12-31T23:59:59.999999-14:00", 9_999_999_999_999_999),
    ],
)
def test_times_are_microseconds(text: str, micros: int) -> None:
    assert parse_time(text) == micros
    assert parse_iso(text.replace(" ", "+")) == micros


def test_texts_and_moments_of_times() -> None:
    assert iso_text(1_000_001) == "1970-01-01T00:00:01.000001Z"
    assert iso_text(0) == "1970-01-01T00:00:00.000000Z"
    assert parse_iso(iso_text(LATEST)) == LATEST
    assert micros_of(moment_of(-1)) == -1


def test_only_where_it_is_allowed_an_offset_may_be_missing() -> None:
    assert parse_iso("1970-01-01T00:00:01") == 1_000_000
    assert parse_iso("yesterday") is None and parse_iso(5) is None
    with pytest.raises(ValueError, match="offset"):
        parse_time("1970-01-01T00:00:01")
