"""Requests that are sent while Textual is still being imported: the server's project and the first page of traces."""

from __future__ import annotations

import asyncio
from datetime import datetime

from appliance.errors import ApplianceError
from appliance.model.query_bar import parse_query_bar
from tui.api.gateway import Gateway, TraceQuery
from tui.model.records import Server, Slice, TraceRow
from tui.model.timerange import BY_KEY
from tui.state import Remembered


def list_query(state: Remembered, now: datetime) -> TraceQuery:
    """The query of the trace list; raises InvalidRequest when its filter cannot be read."""
    conditions = tuple(condition.as_json() for condition in parse_query_bar(state.query, now))
    chosen = BY_KEY.get(state.trace_range)
    return TraceQuery(conditions, state.order, now - chosen.span if chosen else None)


class Prefetch:
    """Connects, then fetches the first page if the trace list is the screen that opens; each answer is used once."""

    def __init__(self, gateway: Gateway, state: Remembered, now: datetime) -> None:
        """Starts the requests; needs a running event loop."""
        self._gateway = gateway
        self._query = _opening_query(state, now)
        self._connecting = asyncio.create_task(gateway.connect())
        self._page = asyncio.create_task(self._fetch(self._query)) if self._query is not None else None
        for task in (self._connecting, self._page):
            if task is not None:
                task.add_done_callback(_retrieve_error)

    async def _fetch(self, query: TraceQuery) -> Slice[TraceRow]:
        await self._connecting
        return await self._gateway.trace_page(query, 1)

    async def connect(self) -> Server:
        """The gateway's `connect`, which has begun already."""
        return await self._connecting

    async def first_page(self, query: TraceQuery) -> Slice[TraceRow] | None:
        """The first page of a query; None when another page was fetched, or none."""
        return await self._page if self._page is not None and query == self._query else None


def _opening_query(state: Remembered, now: datetime) -> TraceQuery | None:
    if state.screen != "traces" or state.trace_range:  # a time range ends when the list is loaded, which is later
        return None
    try:
        return list_query(state, now)
    except ApplianceError:
        return None


def _retrieve_error(task: asyncio.Task[Server] | asyncio.Task[Slice[TraceRow]]) -> None:
    """Retrieves the error of a request that nobody awaits any more, so that asyncio does not log it."""
    if not task.cancelled():
        task.exception()
