"""Times as microseconds since the epoch (UTC), from the forms that programs send them in."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any, Final

LATEST: Final = 9_999_999_999_999_999
"""The last time that is stored (year 2286); ClickHouse's own range ends a little later."""


def now_us() -> int:
    """The present time."""
    return time.time_ns() // 1000


def clamp(micros: int) -> int:
    """The nearest time that can be stored."""
    return min(max(micros, 0), LATEST)


def iso_text(micros: int) -> str:
    """A time as ISO 8601 with microseconds and Z."""
    seconds, rest = divmod(clamp(micros), 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat()[:19]}.{rest:06d}Z"


def parse_iso(value: Any) -> int | None:
    """The time of an ISO 8601 text (UTC when it has no offset); None when it is not one."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip().upper())  # RFC 3339 also allows `t` and `z`
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return clamp(int(moment.timestamp()) * 1_000_000 + moment.microsecond)
