"""The bounds of reads by trace: whole minutes of the table's order, as long as they are few."""

from __future__ import annotations

from appliance.storage.clickhouse.traces.time_bounds import TimeBounds, within
from appliance.storage.clickhouse.where import Binder

MINUTE = 60_000_000


def minutes_of(time_bounds: list[TimeBounds]) -> object:
    """What the test of minutes is bound to, or None without one."""
    binder = Binder()
    sql = within("start_time", time_bounds, binder)
    bound = [value for value in binder.params.values() if isinstance(value, list)]
    assert ("toStartOfMinute" in sql) == bool(bound)
    return bound[0] if bound else None


def test_the_range_is_from_the_first_to_the_last() -> None:
    binder = Binder()
    sql = within("start_time", [TimeBounds(5 * MINUTE, 6 * MINUTE), TimeBounds(MINUTE, 2 * MINUTE)], binder)
    assert sql.startswith("AND ")
    assert list(binder.params.values())[:2] == [MINUTE, 6 * MINUTE]


def test_every_minute_that_is_touched_is_read_once() -> None:
    time_bounds = [
        TimeBounds(MINUTE - 1, MINUTE),
        TimeBounds(MINUTE + 5, MINUTE + 6),
        TimeBounds(9 * MINUTE, 9 * MINUTE),
    ]
    assert minutes_of(time_bounds) == [0, 60, 540]


def test_many_minutes_are_read_as_one_range() -> None:
    assert minutes_of([TimeBounds(0, 2000 * MINUTE)]) is None


def test_moments_that_are_no_datetime_are_read_as_a_range() -> None:
    assert minutes_of([TimeBounds(-5, 5)]) is None
    assert minutes_of([TimeBounds(0, 0), TimeBounds(2**32 * 1_000_000 + MINUTE, 2**32 * 1_000_000 + MINUTE)]) is None


def test_nothing_known_bounds_nothing() -> None:
    assert within("start_time", [], Binder()) == ""
