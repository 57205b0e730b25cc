"""Deleting."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class DeleteTraces(msgspec.Struct, kw_only=True, rename="camel"):
    """Deletes traces by their ids."""

    trace_ids: Annotated[
        list[str],
        Meta(min_length=1, extra={"message": "At least 1 traceId is required."}),
        Meta(max_length=1000),
    ]


class DeletedTraces(msgspec.Struct, kw_only=True):
    """How many traces were deleted."""

    traces: int = 0
