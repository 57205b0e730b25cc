"""How a range of time is cut: without gaps, at whole minutes, where there is data."""

from __future__ import annotations

from itertools import pairwise

import pytest

from appliance.storage.clickhouse.time_slices import ObservationRange, cut
from appliance.storage.clickhouse.traces.time_bounds import MINUTE, TimeBounds

_DATA = ObservationRange(1000, 100 * MINUTE + 7, 200 * MINUTE + 7)


@pytest.mark.parametrize(("since", "until"), [(0, 10**15), (150 * MINUTE + 1, 190 * MINUTE), (150 * MINUTE, 10**15)])
@pytest.mark.parametrize("rows_per_slice", [1, 100, 300])
def test_pieces_make_the_range_without_gaps_or_overlaps(since: int, until: int, rows_per_slice: int) -> None:
    slices = cut(since, until, _DATA, rows_per_slice)
    assert (slices[0].first, slices[-1].last) == (since, until)
    assert all(before.last + 1 == after.first and after.first % MINUTE == 0 for before, after in pairwise(slices))
    assert 1 < len(slices) <= 8 or rows_per_slice == 300
    assert all(_DATA.first_micros < time_slice.first < _DATA.last_micros for time_slice in slices[1:])


@pytest.mark.parametrize(
    ("since", "until", "span"),
    [
        (0, 10**15, ObservationRange(0, 0, 0)),
        (0, 50 * MINUTE, _DATA),
        (300 * MINUTE, 400 * MINUTE, _DATA),
        (9, 9, _DATA),
    ],
)
def test_a_range_with_few_rows_stays_whole(since: int, until: int, span: ObservationRange) -> None:
    assert cut(since, until, span, 500) == [TimeBounds(since, until)]
