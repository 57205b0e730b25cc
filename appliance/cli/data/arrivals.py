"""Ids of traces as they arrive at a server, also when it restarts meanwhile."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from appliance.api_types.traces import ApiTraceItem
from appliance.cli.data.reading import PAGE_ROWS
from appliance.errors import RemoteError

if TYPE_CHECKING:
    from appliance.client import LangfuseClient

T = TypeVar("T")

POLL_S = 2.0
LOOK_BACK: Final = timedelta(minutes=10)
"""How long before its arrival a trace may have begun, where new traces can only be found by their start."""
_FIRST_WAIT_S: Final = 0.2
_LONGEST_WAIT_S: Final = 2.0
_TEMPORARY: Final = (0, 408, 429, 500, 502, 503, 504)
"""Statuses of a server that restarts, or of a proxy before it; 0 is no answer."""


class Connection:
    """Repeats requests while a server that has answered before is away, and reports it once."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self.report = report
        self._has_answered = False
        self._is_away = False
        self._wait_s = 0.0

    def answered(self) -> None:
        """The server is there."""
        self._has_answered = True
        if self._is_away:
            self._is_away = False
            self.report("Connected again.")

    async def lost(self, error: RemoteError) -> None:
        """Wait before the request is repeated; raises the error when repeating is of no use."""
        if not self._has_answered or error.status not in _TEMPORARY:
            raise error
        if not self._is_away:
            self._is_away, self._wait_s = True, _FIRST_WAIT_S
            self.report(f"{error} Trying again, Ctrl-C ends it.")
        else:
            self._wait_s = min(self._wait_s * 2, _LONGEST_WAIT_S)
        await asyncio.sleep(self._wait_s * random.uniform(0.8, 1.2))

    async def request(self, send: Callable[[], Awaitable[T]]) -> T:
        """The answer, however long it takes; raises RemoteError as `lost` does."""
        while True:
            try:
                answer = await send()
            except RemoteError as error:
                await self.lost(error)
            else:
                self.answered()
                return answer


async def arrivals(client: LangfuseClient, connection: Connection) -> AsyncGenerator[list[str]]:
    """Ids of traces as they are written; the list is polled where the server has no live messages.

    Raises RemoteError when the server does not answer at first, or refuses.
    """
    try:
        async with aclosing(_live(client, connection)) as messages:
            async for ids in messages:
                yield ids
    except RemoteError as error:
        if error.status != 404:
            raise
    async with aclosing(_polled(client, connection)) as pages:
        async for ids in pages:
            yield ids


async def _live(client: LangfuseClient, connection: Connection) -> AsyncGenerator[list[str]]:
    """Live messages; after each reconnection they continue after the last one."""
    position, heard_at = "", None
    while True:
        is_new = True
        try:
            async with aclosing(client.live(position)) as messages:
                async for arrival in messages:
                    connection.answered()
                    if heard_at and is_new and (arrival.is_gap or not position):
                        connection.report("The server no longer knows what it told: all traces of that time follow.")
                        yield await connection.request(partial(_changed_since, client, heard_at))
                    is_new = False
                    yield arrival.trace_ids
                    position, heard_at = arrival.position or position, datetime.now(UTC)
            lost = RemoteError(f"{client.base_url} ended the connection.", hint="Is it still up?")
        except RemoteError as error:
            lost = error
        await connection.lost(lost)


async def _changed_since(client: LangfuseClient, moment: datetime) -> list[str]:
    """Ids of traces that a server accepted since then or may have written since then, should it have been behind."""
    since = moment - LOOK_BACK
    return [row.id for row in await _begun_since(client, since) if (row.updated_at or "") >= since.isoformat()]


async def _polled(client: LangfuseClient, connection: Connection) -> AsyncGenerator[list[str]]:
    polled_at = datetime.now(UTC)
    before = {row.id for row in await connection.request(partial(_begun_since, client, polled_at - LOOK_BACK))}
    while True:
        await asyncio.sleep(POLL_S)
        now = datetime.now(UTC)
        rows = await connection.request(partial(_begun_since, client, polled_at - LOOK_BACK))
        polled_at = now
        if ids := [row.id for row in rows if row.id not in before]:
            yield ids


async def _begun_since(client: LangfuseClient, moment: datetime) -> list[ApiTraceItem]:
    """All traces that began since then, whenever they arrived."""
    rows: list[ApiTraceItem] = []
    number, pages = 1, 1
    while number <= pages:
        page = await client.traces(fromTimestamp=moment.isoformat(), page=number, limit=PAGE_ROWS, fields="core")
        rows += page.data
        number, pages = number + 1, page.meta.total_pages or 1
    return rows
