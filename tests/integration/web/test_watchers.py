"""Those who watch live traces must not take the queue away from those who send."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx

from appliance.storage.redis.live import Live
from appliance.web.context import Context

WATCHERS = 150


async def test_many_watchers_do_not_stop_ingestion(client: httpx.AsyncClient, context: Context) -> None:
    joined = [context.watchers.join("p") for _ in range(WATCHERS)]
    watches = [watch.messages() for watch in joined]
    assert await asyncio.gather(*(anext(watch) for watch in watches)) == [None] * WATCHERS
    spans = {"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "a", "spanId": "b"}]}]}]}
    assert (await client.post("/otel/v1/traces", json=spans)).status_code == 200
    await Live(context.redis).publish("p", ["a"])
    assert await asyncio.gather(*(_next_message(watch) for watch in watches)) == [b'["a"]'] * WATCHERS
    subscribed: Any = await context.redis.pubsub_numsub("{langfuse}:live:p")
    assert subscribed[0][1] == 1
    for watch in joined:
        context.watchers.leave(watch)


async def _next_message(watch: AsyncIterator[bytes | None]) -> bytes | None:
    return await anext(message async for message in watch if message is not None)
