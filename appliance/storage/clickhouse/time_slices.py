"""Long ranges of observations, read in slices of time.

FINAL takes rows of one part as they are and merges where parts overlap. When each part ends a moment after the next one
begins, as parts of one stream do, it merges all but the first and the last of them, at four times the cost. A slice of
time that overlaps hardly more than two parts avoids that.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import msgspec

from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.queries import render
from appliance.storage.clickhouse.traces.time_bounds import MINUTE, TimeBounds

ROWS_PER_SLICE: Final = 500_000
"""Fewer rows than this are not worth the planning of another slice."""
_MOST_SLICES: Final = 8


class ObservationRange(msgspec.Struct, frozen=True):
    """How many observations there are, of all projects, and from when to when; microseconds since the epoch."""

    total: int
    first_micros: int
    last_micros: int


async def slices_of(clickhouse: ClickHouse, since: int, until: int) -> list[TimeBounds]:
    """The range from `since` to `until` as slices without a gap; raises QueryTooExpensive and StoreUnavailable."""
    [span] = await clickhouse.rows(render("metrics", "span"), {}, ObservationRange)
    return cut(since, until, span, ROWS_PER_SLICE)


def cut(since: int, until: int, span: ObservationRange, rows_per_slice: int) -> list[TimeBounds]:
    """As `slices_of`: cuts lie where there is data, and at whole minutes, as all versions of a row share one."""
    first, last = max(since, span.first_micros), min(until, span.last_micros)
    rows = span.total * max(last - first, 0) / max(span.last_micros - span.first_micros, 1)
    count = max(1, min(_MOST_SLICES, int(rows / rows_per_slice)))
    cuts = {(first + (last - first) * number // count) // MINUTE * MINUTE for number in range(1, count)}
    edges = [since, *sorted(moment for moment in cuts if since < moment <= until), until + 1]
    return [TimeBounds(start, end - 1) for start, end in pairwise(edges)]
