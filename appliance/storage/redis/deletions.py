"""Flags whether deleted rows may still be stored, so that reads must leave them out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterable
from typing import Any, Final

from redis.asyncio import Redis

from appliance.errors import StoreUnavailable
from appliance.storage.redis.client import translated_errors
from appliance.storage.redis.keys import key

_PENDING: Final = key("pending-deletions")
"""A sorted set: the moments of deletions (microseconds since the epoch) whose rows may still be stored."""
_ANSWER_S: Final = 0.25
_RETRY_S: Final = 1.0


class PendingDeletions:
    """Set by deletions, cleared by the job that purges, and checked by every read."""

    def __init__(self, client: Redis) -> None:
        self._redis = client
        self._unknown_until = 0.0

    async def add(self, moment: int) -> None:
        """Make reads leave out deleted rows from now on; raises StoreUnavailable."""
        with translated_errors():
            await self._redis.zadd(_PENDING, {str(moment): moment})

    async def remove(self, moments: Iterable[int]) -> None:
        """Remove deletions whose rows are gone; raises StoreUnavailable."""
        if members := [str(moment) for moment in moments]:
            with translated_errors():
                await self._redis.zrem(_PENDING, *members)

    async def remove_except(self, moments: Collection[int], before: int) -> None:
        """Remove deletions added before a moment that never took place: those not in `moments`."""
        with translated_errors():
            old: Any = await self._redis.zrangebyscore(_PENDING, "-inf", f"({before}")
        await self.remove({int(member) for member in old} - set(moments))

    async def any(self) -> bool:
        """Whether there may be any; True when Redis does not answer, as a needless check is only slower."""
        if time.monotonic() < self._unknown_until:
            return True
        try:
            async with asyncio.timeout(_ANSWER_S):
                with translated_errors():
                    return bool(await self._redis.exists(_PENDING))
        except (StoreUnavailable, TimeoutError):
            self._unknown_until = time.monotonic() + _RETRY_S
            return True
