"""Live messages: which traces just became readable, from the worker to everybody who watches."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

import msgspec
from redis.asyncio import Redis

from appliance.storage.redis.client import translated_errors
from appliance.storage.redis.keys import key


class Live:
    """Publish and subscribe, per project. Messages are not kept for those who come later."""

    def __init__(self, client: Redis) -> None:
        self._redis = client

    async def publish(self, project_id: str, trace_ids: Sequence[str]) -> None:
        """Tell that these traces have something new; raises StoreUnavailable."""
        with translated_errors():
            await self._redis.publish(_channel(project_id), msgspec.json.encode(list(trace_ids)))

    async def messages(self, project_id: str, *, silence_s: float) -> AsyncGenerator[bytes | None, None]:
        """JSON lists of trace ids as they come, and None after each `silence_s` seconds without one.

        The first item is None, as soon as the subscription stands. Raises StoreUnavailable when Redis goes away.
        """
        with translated_errors():
            async with self._redis.pubsub(ignore_subscribe_messages=True) as subscription:
                await subscription.subscribe(_channel(project_id))
                yield None
                while True:
                    message = await subscription.get_message(timeout=silence_s)
                    if message is None:
                        yield None
                    elif message["type"] == "message":
                        yield message["data"]


def _channel(project_id: str) -> str:
    return key("live", project_id)
