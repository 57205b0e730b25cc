"""Answers: JSON by msgspec, empty bodies, and times as the public API prints them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec
from starlette.responses import Response

_encoder = msgspec.json.Encoder()


def json_response(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer of content-type application/json; `content` is anything msgspec encodes."""
    return Response(_encoder.encode(content), status, headers, media_type="application/json")


def no_content() -> Response:
    """204 without a body."""
    return Response(status_code=204)


def iso_time(moment: datetime) -> str:
    """A point in time as the public API prints it: UTC with milliseconds and Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def optional_time(microseconds: int | None) -> str | None:
    """A point in time as `iso_micros` prints it, or null."""
    return None if microseconds is None else iso_micros(microseconds)


def iso_micros(microseconds: int) -> str:
    """Microseconds since the epoch as the public API prints them: UTC with milliseconds and Z."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return f"{_iso_seconds(seconds)}.{rest // 1000:03d}Z"


@lru_cache(maxsize=4096)  # rows of one answer lie close together
def _iso_seconds(seconds: int) -> str:
    # Not strftime: it would not pad years before 1000.
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]
