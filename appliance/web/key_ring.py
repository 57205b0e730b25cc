"""The owners of API keys, cached."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Protocol

from appliance.errors import Overloaded
from appliance.storage.postgres.api_keys import KeyOwner

_KNOWN_FOR_S = 60.0
_REFUSED_FOR_S = 5.0
_MAX_CACHED = 10_000
_MAX_CACHED_CHARS = 500
_UNKNOWN_AT_ONCE = 2
_UNKNOWN_WAIT_S = 5.0

_Credentials = tuple[str, str]
"""Public and secret key as they were sent."""


class KeyStore(Protocol):
    """Where keys are looked up."""

    async def owner_by_secret(self, public_key: str, secret_key: str) -> KeyOwner | None:
        """The owner of a secret key, None when there is none; raises StoreUnavailable."""

    async def owner_by_public_key(self, public_key: str) -> KeyOwner | None:
        """The owner of a public key, None when there is none; raises StoreUnavailable."""


class KeyRing:
    """Caches the owners of keys for a minute, and wrong keys, apart from them, for a few seconds.

    Unknown keys are looked up two at a time, so that guesses do not take all connections to Postgres from requests
    that renew a known key. Requests with the same key share one look-up.
    """

    def __init__(self, store: KeyStore) -> None:
        self._store = store
        self._owners: dict[_Credentials, tuple[float, KeyOwner]] = {}
        self._refused: dict[_Credentials, float] = {}
        self._lookups: dict[_Credentials, asyncio.Task[KeyOwner | None]] = {}
        self._unknown = asyncio.Semaphore(_UNKNOWN_AT_ONCE)

    async def find(self, public_key: str, secret_key: str) -> KeyOwner | None:
        """The owner of a key pair; an empty secret looks up by the public key alone.

        Raises StoreUnavailable, and Overloaded when too many unknown keys are being looked up.
        """
        pair = (public_key, secret_key)
        if self._is_cached(pair):
            return self._owners[pair][1] if pair in self._owners else None
        task = self._lookups.get(pair)
        if task is None:
            task = self._lookups[pair] = asyncio.create_task(self._fetch(pair))
            task.add_done_callback(_forget)
        return await asyncio.shield(task)

    def _is_cached(self, pair: _Credentials) -> bool:
        expires = self._owners[pair][0] if pair in self._owners else self._refused.get(pair, 0.0)
        return expires > time.monotonic()

    async def _fetch(self, pair: _Credentials) -> KeyOwner | None:
        try:
            if pair in self._owners:
                return await self._look_up(pair)
            try:
                await asyncio.wait_for(self._unknown.acquire(), _UNKNOWN_WAIT_S)
            except TimeoutError:
                raise Overloaded("Too many unknown keys are being checked.") from None
            try:
                return await self._look_up(pair)
            finally:
                self._unknown.release()
        finally:
            del self._lookups[pair]

    async def _look_up(self, pair: _Credentials) -> KeyOwner | None:
        public_key, secret_key = pair
        if secret_key:
            owner = await self._store.owner_by_secret(public_key, secret_key)
        else:
            owner = await self._store.owner_by_public_key(public_key)
        if len(public_key) + len(secret_key) > _MAX_CACHED_CHARS:
            return owner
        if owner is None:
            self._owners.pop(pair, None)
            _limit_size(self._refused)
            self._refused[pair] = time.monotonic() + _REFUSED_FOR_S
        else:
            _limit_size(self._owners)
            self._owners[pair] = time.monotonic() + _KNOWN_FOR_S, owner
        return owner

    def forget(self) -> None:
        """Empty the cache, after a key was changed."""
        self._owners.clear()
        self._refused.clear()


def _forget(task: asyncio.Task[KeyOwner | None]) -> None:
    if not task.cancelled():
        task.exception()  # all requests that waited may have left


def _limit_size(cached: dict[_Credentials, Any]) -> None:
    if len(cached) >= _MAX_CACHED:
        cached.clear()
