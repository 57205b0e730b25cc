"""The right of one of several workers to run a job, so that it runs once at a time."""

from __future__ import annotations

from contextlib import suppress

from redis.asyncio import Redis
from redis.asyncio.lock import Lock
from redis.exceptions import LockError

from appliance.storage.redis.client import translated_errors
from appliance.storage.redis.keys import key


class Lease:
    """The right to run one job; it ends by itself after `seconds`, should its holder die."""

    def __init__(self, client: Redis, job: str, seconds: int) -> None:
        # Its token belongs to the lease, not to the thread: jobs may go on in another one.
        self._lock = Lock(client, key("lease", job), timeout=seconds, blocking=False, thread_local=False)

    async def take(self) -> bool:
        """Whether the lease was free and is now held; raises StoreUnavailable."""
        with translated_errors():
            return bool(await self._lock.acquire())

    async def renew(self) -> bool:
        """Hold the lease for the whole time again; False when it has ended meanwhile. Raises StoreUnavailable."""
        with translated_errors():
            try:
                return await self._lock.reacquire()
            except LockError:
                return False

    async def give_back(self) -> None:
        """End the lease early, when it is still held; raises StoreUnavailable."""
        with translated_errors(), suppress(LockError):
            await self._lock.release()
