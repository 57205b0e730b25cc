"""The time ranges that can be chosen, and the buckets of their charts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec


class TimeRange(msgspec.Struct, frozen=True):
    """A window that ends now."""

    key: str
    label: str
    span: timedelta
    granularity: str
    """Of the metrics API: minute, hour or day."""

    @property
    def bucket(self) -> timedelta:
        return {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}[self.granularity]


RANGES: Final = (
    TimeRange("30m", "last 30 minutes", timedelta(minutes=30), "minute"),
    TimeRange("1h", "last hour", timedelta(hours=1), "minute"),
    TimeRange("6h", "last 6 hours", timedelta(hours=6), "minute"),
    TimeRange("24h", "last 24 hours", timedelta(hours=24), "hour"),
    TimeRange("7d", "last 7 days", timedelta(days=7), "hour"),
    TimeRange("30d", "last 30 days", timedelta(days=30), "day"),
    TimeRange("90d", "last 90 days", timedelta(days=90), "day"),
)
BY_KEY: Final = {one.key: one for one in RANGES}
DEFAULT_RANGE: Final = "24h"


def iso(moment: datetime) -> str:
    """As the API takes it: UTC with milliseconds and Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
