"""Which traces arrive at a server, told as they do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from appliance.errors import RemoteError

if TYPE_CHECKING:
    from appliance.client import LangfuseClient

POLL_S = 2.0
PAGE_ROWS: Final = 100
LOOK_BACK: Final = timedelta(minutes=10)
"""How long ago a trace may have begun that arrives now, where a server lists traces by their start only."""


async def arrivals(client: LangfuseClient) -> AsyncGenerator[list[str]]:
    """Ids of traces as they are written; asked for every few seconds where the server cannot tell by itself.

    Raises RemoteError, also when the server ends the connection: what arrives after that would be missing.
    """
    try:
        async with aclosing(client.live()) as messages:
            async for ids in messages:
                yield ids
        raise RemoteError(f"{client.base_url} ended the connection.", hint="Is it still up?")
    except RemoteError as error:
        if error.status != 404:
            raise
    async with aclosing(_polled(client)) as pages:
        async for ids in pages:
            yield ids


async def _polled(client: LangfuseClient) -> AsyncGenerator[list[str]]:
    before = set(await _begun_lately(client))
    while True:
        await asyncio.sleep(POLL_S)
        if ids := [trace_id for trace_id in await _begun_lately(client) if trace_id not in before]:
            yield ids


async def _begun_lately(client: LangfuseClient) -> list[str]:
    """Ids of all traces that began within LOOK_BACK, whenever they arrived."""
    since = (datetime.now(UTC) - LOOK_BACK).isoformat()
    ids: list[str] = []
    number, pages = 1, 1
    while number <= pages:
        page = await client.traces(fromTimestamp=since, page=number, limit=PAGE_ROWS, fields="core")
        ids += [row["id"] for row in page.data]
        number, pages = number + 1, int(page.meta.get("totalPages") or 1)
    return ids
