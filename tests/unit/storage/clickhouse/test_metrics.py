"""The rules of the metrics engine that need no database."""

from __future__ import annotations

import pytest

from appliance.model.metrics import Metric, MetricsQuery, automatic_granularity, default_order

HOUR = 3_600_000_000


@pytest.mark.parametrize(
    ("hours", "granularity"),
    [(1, "minute"), (2, "hour"), (71, "hour"), (72, "day"), (59 * 24, "day"), (60 * 24, "week"), (365 * 24, "month")],
)
def test_granularity_follows_the_range(hours: int, granularity: str) -> None:
    assert automatic_granularity(0, hours * HOUR) == granularity


def test_default_order() -> None:
    cost = Metric("totalCost", "sum")
    question = MetricsQuery(view="traces", metrics=[cost], since=0, until=1, dimensions=["name"])
    assert default_order(question) == [("sum_totalCost", True)]
    over_time = MetricsQuery(view="traces", metrics=[cost], since=0, until=1, granularity="day")
    assert default_order(over_time) == [("time_dimension", False)]
