"""Long ranges of observations, read in pieces of time.

FINAL takes rows of one part as they are and merges where parts overlap. When each part ends a moment after the next one
begins, as parts of one stream do, it merges all but the first and the last of them, at four times the cost. A piece of
time that touches hardly more than two parts is spared that.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import msgspec

from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.queries import render
from appliance.storage.clickhouse.traces.time_bounds import MINUTE, Extent

ROWS_PER_PIECE: Final = 500_000
"""So few rows are not worth the planning of another piece."""
_MOST_PIECES: Final = 8


class Span(msgspec.Struct, frozen=True):
    """How many observations there are, of all projects, and from when to when; microseconds since the epoch."""

    total: int
    first_micros: int
    last_micros: int


async def pieces_of(clickhouse: ClickHouse, since: int, until: int) -> list[Extent]:
    """The range from `since` to `until` as pieces without a gap; raises QueryTooExpensive and StoreUnavailable."""
    [span] = await clickhouse.rows(render("metrics", "span"), {}, Span)
    return cut(since, until, span, ROWS_PER_PIECE)


def cut(since: int, until: int, span: Span, rows_per_piece: int) -> list[Extent]:
    """As `pieces_of`: cuts lie where there is data, and at whole minutes, as all versions of a row share one."""
    first, last = max(since, span.first_micros), min(until, span.last_micros)
    rows = span.total * max(last - first, 0) / max(span.last_micros - span.first_micros, 1)
    count = max(1, min(_MOST_PIECES, int(rows / rows_per_piece)))
    cuts = {(first + (last - first) * number // count) // MINUTE * MINUTE for number in range(1, count)}
    edges = [since, *sorted(moment for moment in cuts if since < moment <= until), until + 1]
    return [Extent(start, end - 1) for start, end in pairwise(edges)]
