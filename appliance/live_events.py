"""The server-sent events of `GET /api/local/live`, read line by line."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable

import msgspec


class Arrival(msgspec.Struct, frozen=True):
    """One event: traces that were just written, or none as a keep-alive."""

    trace_ids: list[str]
    position: str = ""
    """The position after this event, to continue from; empty when the server sends none."""
    is_gap: bool = False
    """Whether the server no longer has the events since the requested position."""


async def read_arrivals(lines: AsyncIterable[str]) -> AsyncGenerator[Arrival]:
    """Yields each complete event and each comment."""
    fields: dict[str, str] = {}
    async for line in lines:
        if line.startswith(":"):
            yield Arrival([])
        elif line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        elif "data" in fields:
            ids = msgspec.json.decode(fields["data"], type=list[str])
            yield Arrival(ids, fields.get("id", ""), fields.get("event") == "gap")
            fields = {}
