"""Times as microseconds since the epoch (UTC), from the forms that programs send them in."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final

LATEST: Final = 9_999_999_999_999_999
"""The last time that is stored (year 2286); ClickHouse's own range ends a little later."""

_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_SPANS: Final = {"m": 60, "h": 3600, "d": 86400}
"""In seconds."""


def now_us() -> int:
    """The present time."""
    return time.time_ns() // 1000


def clamp(micros: int) -> int:
    """The nearest time that can be stored."""
    return min(max(micros, 0), LATEST)


def micros_of(moment: datetime) -> int:
    """The time of a moment with offset, whatever its year."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(micros: int) -> datetime:
    """The moment (UTC) of a time."""
    return _EPOCH + micros * _MICROSECOND


def iso_text(micros: int) -> str:
    """A time as ISO 8601 with microseconds and Z."""
    return f"{moment_of(clamp(micros)).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def parse_iso(value: Any) -> int | None:
    """The time of an ISO 8601 text (UTC when it has no offset); None when it is not one."""
    if not isinstance(value, str):
        return None
    try:
        moment = _moment(value)
    except ValueError:
        return None
    return clamp(micros_of(moment if moment.tzinfo else moment.replace(tzinfo=UTC)))


def parse_time(text: str) -> int:
    """The time of an ISO 8601 text with offset; raises ValueError for anything else.

    Times that cannot be stored become the nearest one that can. A `+` that a client forgot to encode arrives as a
    space and is understood.
    """
    moment = _moment(text.strip().replace(" ", "+") if "T" in text.upper() else text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset from UTC")
    return clamp(micros_of(moment))


def parse_span(text: str) -> int | None:
    """The microseconds of a span such as 30m, 24h or 7d; None when it is not one."""
    match = re.fullmatch("([0-9]{1,6})([mhd])", text)
    return int(match[1]) * _SPANS[match[2]] * 1_000_000 if match else None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.strip().upper())  # RFC 3339 also allows `t` and `z`
