"""The queue in Redis does what the fake one does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from appliance.config import Settings
from appliance.storage.redis.client import connect
from appliance.storage.redis.dead_letters import DeadLetters
from appliance.storage.redis.ingest_stream import GROUP, STREAM, IngestStream
from appliance.storage.redis.receipts import read_receipts
from tests.fakes.stream import Letter
from tests.fakes.stream_contract import StreamContract


class InRedis:
    """Lets time pass by moving into the past when entries were handed out."""

    def __init__(self, settings: Settings, redis: Redis) -> None:
        self._redis = redis
        self.stream = IngestStream(redis, settings.ingestion)

    async def pass_time(self, seconds: float) -> None:
        pending: Any = await self._redis.xpending_range(STREAM, GROUP, "-", "+", 100)
        for held in pending:
            await self._redis.xclaim(
                STREAM,
                GROUP,
                held["consumer"],
                0,
                [held["message_id"]],
                idle=held["time_since_delivered"] + round(seconds * 1000),
                retrycount=held["times_delivered"],
                justid=True,
            )

    async def letters(self) -> list[Letter]:
        stored = DeadLetters(self._redis)
        letters = [await stored.get(letter.id) async for letter in stored.all()]
        return [Letter(letter.entry, letter.error, letter.attempts) for letter in letters if letter is not None]

    async def waiting(self) -> int:
        return (await self.stream.backlog()).backlog

    async def written(self) -> tuple[int, int, int]:
        receipts = (await read_receipts(self._redis))["p"]
        return receipts.written.requests, receipts.written.items, receipts.refused.items


@pytest.fixture
async def queue(stores: Settings) -> AsyncIterator[InRedis]:
    redis = connect(stores.redis)
    await redis.flushdb()
    yield InRedis(stores, redis)
    await redis.flushdb()
    await redis.aclose()


class TestIngestStream(StreamContract):
    pass
