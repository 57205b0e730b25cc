"""Bodies of small requests, as SDKs send them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

START_S = 1_763_000_000


def span(
    number: int,
    parent: int | None = None,
    attributes: Mapping[str, str | float | None] = MappingProxyType({}),
    *,
    trace: int = 1,
) -> dict[str, Any]:
    """A span whose id is `number`, with the attributes that are not None."""
    values = {
        name: {"stringValue": value} if isinstance(value, str) else {"doubleValue": value}
        for name, value in attributes.items()
        if value is not None
    }
    return {
        "traceId": f"{trace:032x}",
        "spanId": f"{number:016x}",
        "parentSpanId": f"{parent:016x}" if parent else "",
        "name": f"step {number}",
        "startTimeUnixNano": str(START_S * 10**9),
        "endTimeUnixNano": str((START_S + 9) * 10**9),
        "attributes": [{"key": name, "value": value} for name, value in values.items()],
    }


def export(*spans: dict[str, Any]) -> bytes:
    """A request of OTLP in JSON."""
    return msgspec.json.encode({"resourceSpans": [{"scopeSpans": [{"scope": {"name": "x"}, "spans": spans}]}]})


def event(type: str, second: int, **body: Any) -> dict[str, Any]:
    """An event of the ingestion API, some seconds after an hour."""
    return {
        "id": f"{type}-{body['id']}-{second}",
        "type": type,
        "timestamp": f"2025-11-13T02:{second // 60:02}:{second % 60:02}Z",
        "body": body,
    }
