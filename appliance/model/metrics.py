"""Queries of the metrics engine: measures, dimensions and range of time (contract: server semantics 6.8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from appliance.model.filters import Condition

View = Literal["traces", "observations", "scores-numeric", "scores-categorical", "scores-boolean"]
ViewV2 = Literal["observations", "scores-numeric", "scores-categorical", "scores-boolean"]
"""The views of the second API version."""
Aggregation = Literal["sum", "avg", "count", "max", "min", "p50", "p75", "p90", "p95", "p99", "histogram", "uniq"]
NON_NUMERIC_AGGREGATIONS: Final = ("count", "uniq")
TIME_DIMENSION: Final = "time_dimension"

_HOUR: Final = 3_600_000_000
_DAY: Final = 24 * _HOUR


@dataclass(frozen=True, slots=True)
class Metric:
    """One number per row of the answer."""

    measure: str
    aggregation: str

    @property
    def name(self) -> str:
        """Its key in a row, such as `sum_totalCost`."""
        return f"{self.aggregation}_{self.measure}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsQuery:
    """A query; times in microseconds since the epoch, both ends belong to the range."""

    view: str
    metrics: Sequence[Metric]
    since: int
    until: int
    dimensions: Sequence[str] = ()
    conditions: Sequence[Condition] = ()
    granularity: str | None = None
    """None for no time dimension."""
    order_by: Sequence[tuple[str, bool]] = ()
    """Field and whether it descends."""
    row_limit: int | None = None
    bins: int = 10


def automatic_granularity(since: int, until: int) -> str:
    """The bucket that suits a range: minutes below 2 hours, hours below 3 days, days below 60, weeks below a year."""
    span = until - since
    for limit, granularity in ((2 * _HOUR, "minute"), (72 * _HOUR, "hour"), (60 * _DAY, "day"), (365 * _DAY, "week")):
        if span < limit:
            return granularity
    return "month"


def default_order(query: MetricsQuery) -> list[tuple[str, bool]]:
    """Time ascending, else the first metric descending, else the first dimension ascending."""
    if query.granularity is not None:
        return [(TIME_DIMENSION, False)]
    if query.metrics:
        return [(query.metrics[0].name, True)]
    return [(name, False) for name in query.dimensions[:1]]
