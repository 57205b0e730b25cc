"""The time of the first token, under the names and in the units that libraries use."""

from __future__ import annotations

import re
from typing import Any, Final

from appliance.ingestion.json_text import parse_or_keep
from appliance.ingestion.otel.span import Span
from appliance.model.times import clamp, parse_iso

_UNITS: Final = {"s": 1e6, "sec": 1e6, "seconds": 1e6, "ms": 1e3, "us": 1.0, "ns": 1e-3}
"""Microseconds per unit."""
_LENGTH: Final = re.compile(
    r"(?:.*[._])?(?:time_to_(?:the_)?first_(?:token|chunk|byte)|ttft|ttfb|first_(?:token|chunk)_(?:latency|time|delay)"
    r"|ms_to_first_(?:token|chunk))(?:[._](?:in_)?(s|sec|seconds|ms|us|ns|milli(?:second)?s|micro(?:second)?s|nano(?:second)?s))?"
)
_MOMENT: Final = re.compile(
    r"(?:.*[._])?(?:completion_start_time|first_(?:token|chunk)(?:_(?:time|timestamp|at|received_at))?)"
    r"(?:_(?:unix|ms|us|ns|nano|iso))*"
)
_EVENT: Final = re.compile(r"first.?(?:token|chunk)|^new_token$|(?:completion|content|stream)\.chunk$", re.IGNORECASE)
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_OLDEST: Final = 946_684_800
"""The year 2000, in seconds: larger numbers without a unit are moments."""


def first_token(span: Span) -> int | None:
    """Microseconds since the epoch, or None; the attribute with the time is taken out of the span."""
    for key in [key for key in span.attributes if "irst" in key or "ttf" in key or "completion_start" in key]:
        moment = _moment(_CAMEL.sub("_", key).lower(), span.attributes[key], span)
        if moment is not None:
            del span.attributes[key]
            return moment
    moments = [event.time for event in span.events if _EVENT.search(event.name) and event.time >= span.start]
    return min(moments, default=None)


def moment_of(value: Any) -> int | None:
    """Microseconds since the epoch of an ISO 8601 text, or of a number in any unit; None for anything else."""
    if isinstance(value, str):
        # Some SDKs send the time as JSON text, so quoted twice.
        inner = parse_or_keep(value)
        if isinstance(inner, str):
            return parse_iso(value) or parse_iso(inner)
        value = inner
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= _OLDEST:
        return None
    for per_second in (1, 10**3, 10**6, 10**9):
        if value < 100 * _OLDEST * per_second:
            return clamp(int(value * 10**6 // per_second))
    return None


def _moment(name: str, value: Any, span: Span) -> int | None:
    if _MOMENT.fullmatch(name) and (moment := moment_of(value)) is not None:
        return moment
    if not (match := _LENGTH.fullmatch(name)):
        return None
    number = _number(value)
    if number is None:
        return moment_of(value)
    unit = _UNITS.get(_short(match[1])) if match[1] else _UNITS["ms"] if "ms_to" in name else None
    return clamp(span.start + round(number * (unit or _likely_unit(number, span))))


def _short(unit: str) -> str:
    return {"milli": "ms", "micro": "us", "nano": "ns"}.get(unit[:5].rstrip("s"), unit)


def _likely_unit(number: float, span: Span) -> float:
    """Seconds, as OpenTelemetry wants, or the next smaller unit in which it is within the span."""
    lasted = span.end - span.start
    fitting = (unit for unit in (_UNITS["s"], _UNITS["ms"], _UNITS["us"], _UNITS["ns"]) if number * unit <= lasted)
    return next(fitting, _UNITS["s"])


def _number(value: Any) -> float | None:
    """A length of time; None for a moment, or for anything else."""
    if isinstance(value, str):
        value = parse_or_keep(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if 0 <= value < _OLDEST * 1000 else None
