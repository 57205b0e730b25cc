"""Questions to the metrics engine, and the figures of days."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from appliance.model.metrics import Aggregation, View, ViewV2


class Dimension(msgspec.Struct):
    """What to group by."""

    field: str


class Measure(msgspec.Struct):
    """What to measure."""

    measure: str
    aggregation: Aggregation


class TimeDimension(msgspec.Struct):
    """Groups by time."""

    granularity: Literal["auto", "minute", "hour", "day", "week", "month"]


class MetricsOrder(msgspec.Struct):
    """What to sort by."""

    field: str
    direction: Literal["asc", "desc"]


class MetricsConfig(msgspec.Struct):
    """Bounds of an answer."""

    bins: Annotated[int, Meta(ge=1, le=100)] | None = None
    row_limit: Annotated[int, Meta(gt=0, le=1000)] | None = None


class MetricsRequest(msgspec.Struct, kw_only=True, rename="camel"):
    """The parameter `query` of the first API version."""

    view: View
    metrics: Annotated[list[Measure], Meta(min_length=1)]
    from_timestamp: str
    to_timestamp: str
    dimensions: list[Dimension] = []
    filters: list[Any] = []
    time_dimension: TimeDimension | None = None
    order_by: list[MetricsOrder] | None = None
    config: MetricsConfig | None = None


class MetricsRequestV2(MetricsRequest, kw_only=True):
    """The parameter `query` of the second API version."""

    view: ViewV2


class DailyModelUsage(msgspec.Struct, kw_only=True, rename="camel"):
    """One model on one day."""

    model: str | None = None
    input_usage: float = 0
    """Tokens, as the other usages."""
    output_usage: float = 0
    total_usage: float = 0
    total_cost: float = 0
    count_observations: int = 0
    count_traces: int = 0


class DailyMetrics(msgspec.Struct, kw_only=True, rename="camel"):
    """The figures of one day."""

    date: str
    count_traces: int = 0
    count_observations: int = 0
    total_cost: float = 0
    usage: list[DailyModelUsage] = msgspec.field(default_factory=list)
