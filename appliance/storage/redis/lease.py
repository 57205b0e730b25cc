"""A right that one of several workers has for a while, so that a job runs once at a time."""

from __future__ import annotations

import secrets
from typing import Final

from redis.asyncio import Redis

from appliance.storage.redis.client import translated_errors
from appliance.storage.redis.keys import key

_IF_HELD: Final = "if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end "
_RENEW: Final = _IF_HELD + "return redis.call('expire', KEYS[1], ARGV[2])"
_GIVE_BACK: Final = _IF_HELD + "return redis.call('del', KEYS[1])"


class Lease:
    """The right to one job; it ends by itself after `seconds`, should its holder die."""

    def __init__(self, client: Redis, job: str, seconds: int) -> None:
        self._redis = client
        self._key = key("lease", job)
        self._seconds = seconds
        self._token = secrets.token_hex(8)
        self._renew = client.register_script(_RENEW)
        self._give_back = client.register_script(_GIVE_BACK)

    async def take(self) -> bool:
        """Whether it could be had; raises StoreUnavailable."""
        with translated_errors():
            return bool(await self._redis.set(self._key, self._token, nx=True, ex=self._seconds))

    async def renew(self) -> bool:
        """Hold it for the whole time again; False when it has ended meanwhile. Raises StoreUnavailable."""
        with translated_errors():
            return bool(await self._renew(keys=[self._key], args=[self._token, self._seconds]))

    async def give_back(self) -> None:
        """End it early, when it is still held; raises StoreUnavailable."""
        with translated_errors():
            await self._give_back(keys=[self._key], args=[self._token])
