"""Time bounds of the rows of known traces, so that reading them opens those minutes only."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

import msgspec

from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.queries import render
from appliance.storage.clickhouse.where import Binder, all_of

ALONE: Final = {"max_threads": 1, "output_format_parallel_formatting": 0}
"""Settings for small queries: starting threads would take longer than running them in one."""
KNOWN_PLACES: Final = {"use_skip_indexes_on_data_read": 0, "local_filesystem_read_method": "pread", **ALONE}
"""Settings for few rows with known bounds: parts that an index excludes stay closed, and no thread reads ahead."""
MINUTE: Final = 60_000_000
"""Microseconds; the sorting keys of the tables begin with the minute."""
# A longer list of minutes does not pay, and a DateTime ends with 32 bits of seconds.
_MOST_MINUTES: Final = 1000
_LAST_MINUTE: Final = (2**32 - 1) * 1_000_000 // MINUTE


@dataclass(frozen=True, slots=True)
class TimeBounds:
    """A range of time that holds all rows of something, both ends included; microseconds since the epoch."""

    first: int
    last: int


class _Found(msgspec.Struct):
    first_micros: int
    last_micros: int
    mark_micros: int


_MARK_HOLDS_S: Final = 10.0
# When the mark of aggregated traces was read, and the mark. With an older one only more dirty traces are read.
_marks: WeakKeyDictionary[ClickHouse, tuple[float, int]] = WeakKeyDictionary()


async def time_bounds_of(clickhouse: ClickHouse, project_id: str, trace_id: str) -> TimeBounds | None:
    """The time bounds of the parts and observations of a trace; None when it has no aggregate and no mark.

    Raises QueryTooExpensive and StoreUnavailable.
    """
    binder, now = Binder({"project_id": project_id, "trace_id": trace_id}), time.monotonic()
    read_at, known = _marks.get(clickhouse, (-_MARK_HOLDS_S, 0))
    is_known = now - read_at < _MARK_HOLDS_S
    sql = render("traces", "time_bounds", mark=binder.time(known) if is_known else render("traces", "mark"))
    rows = await clickhouse.rows(sql, binder.params, _Found, settings=KNOWN_PLACES)
    if not rows:
        return None
    if not is_known:
        _marks[clickhouse] = (now, rows[0].mark_micros)
    return TimeBounds(min(row.first_micros for row in rows), max(row.last_micros for row in rows))


def within(column: str, time_bounds: Iterable[TimeBounds], binder: Binder) -> str:
    """SQL, with a leading AND, of rows whose time `column` lies in one of `time_bounds`; empty without any.

    The table's order begins with the minute, so that single minutes far from each other open few granules.
    """
    known = list(time_bounds)
    if not known:
        return ""
    first, last = min(time_bounds.first for time_bounds in known), max(time_bounds.last for time_bounds in known)
    tests = [f"{column} >= {binder.time(first)}", f"{column} <= {binder.time(last)}"]
    if (minutes := _minutes(known)) is not None:
        moments = binder.bind([minute * 60 for minute in minutes], "Array(DateTime('UTC'))")
        tests.append(f"toStartOfMinute({column}) IN {moments}")
    return all_of(tests, prefix="AND ")


def _minutes(time_bounds: list[TimeBounds]) -> list[int] | None:
    """The minutes since the epoch within the bounds; None when there are too many, or they do not fit a DateTime."""
    minutes: set[int] = set()
    for each in time_bounds:
        first, last = each.first // MINUTE, each.last // MINUTE
        if first < 0 or last > _LAST_MINUTE or last - first + len(minutes) > _MOST_MINUTES:
            return None
        minutes.update(range(first, last + 1))
    return sorted(minutes)
