"""Those who watch live traces must not take the queue away from those who send."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx

from appliance.storage.redis.live import Live, Message
from appliance.web.context import Context

WATCHERS = 150


async def test_many_watchers_do_not_stop_ingestion(client: httpx.AsyncClient, context: Context) -> None:
    joined = [context.watchers.join("p") for _ in range(WATCHERS)]
    watches = [watch.messages() for watch in joined]
    first = await asyncio.gather(*(anext(watch) for watch in watches))
    assert len(set(first)) == 1
    spans = {"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "a", "spanId": "b"}]}]}]}
    assert (await client.post("/otel/v1/traces", json=spans)).status_code == 200
    await Live(context.redis).publish("p", ["a"])
    assert {each.trace_ids for each in await asyncio.gather(*(_next_message(watch) for watch in watches))} == {b'["a"]'}
    waiting: Any = await context.redis.client_list()
    assert sum(each["cmd"] == "xread" for each in waiting) == 1
    for watch in joined:
        context.watchers.leave(watch)


async def test_only_a_position_can_be_gone_on_from(client: httpx.AsyncClient) -> None:
    for unknown in ("yesterday", "7"):
        refused = await client.get("http://test/api/local/live", headers={"Last-Event-ID": unknown})
        assert refused.status_code == 400, refused.text


async def _next_message(messages: AsyncIterator[Message | None]) -> Message:
    return await anext(message async for message in messages if message is not None)
