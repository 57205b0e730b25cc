"""The server-sent events of `GET /api/local/live`, read line by line."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable

import msgspec


class Arrival(msgspec.Struct, frozen=True):
    """What the server told: traces that were just written, or none as a sign of life."""

    trace_ids: list[str]
    position: str = ""
    """Where to go on after this; empty when the server does not say."""
    is_gap: bool = False
    """Whether the server no longer knows what it told since the position that was asked for."""


async def read_arrivals(lines: AsyncIterable[str]) -> AsyncGenerator[Arrival]:
    """Each event and each comment; an event that was cut off is not one."""
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
