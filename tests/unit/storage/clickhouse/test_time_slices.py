"""How a range of time is cut: without gaps, at whole minutes, where there is data."""

from __future__ import annotations

from itertools import pairwise

import pytest

from appliance.storage.clickhouse.time_slices import Span, cut
from appliance.storage.clickhouse.traces.time_bounds import MINUTE, Extent

_DATA = Span(1000, 100 * MINUTE + 7, 200 * MINUTE + 7)


@pytest.mark.parametrize(("since", "until"), [(0, 10**15), (150 * MINUTE + 1, 190 * MINUTE), (150 * MINUTE, 10**15)])
@pytest.mark.parametrize("rows_per_piece", [1, 100, 300])
def test_pieces_make_the_range_without_gaps_or_overlaps(since: int, until: int, rows_per_piece: int) -> None:
    pieces = cut(since, until, _DATA, rows_per_piece)
    assert (pieces[0].first, pieces[-1].last) == (since, until)
    assert all(before.last + 1 == after.first and after.first % MINUTE == 0 for before, after in pairwise(pieces))
    assert 1 < len(pieces) <= 8 or rows_per_piece == 300
    assert all(_DATA.first_micros < piece.first < _DATA.last_micros for piece in pieces[1:])


@pytest.mark.parametrize(
    ("since", "until", "span"),
    [(0, 10**15, Span(0, 0, 0)), (0, 50 * MINUTE, _DATA), (300 * MINUTE, 400 * MINUTE, _DATA), (9, 9, _DATA)],
)
def test_a_range_with_few_rows_stays_whole(since: int, until: int, span: Span) -> None:
    assert cut(since, until, span, 500) == [Extent(since, until)]
