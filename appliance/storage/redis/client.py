"""Connects to Redis, and translates the driver's errors."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import redis.exceptions
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff

from appliance.config import RedisSettings
from appliance.errors import Overloaded, StoreUnavailable
from appliance.storage.redis.address import address_of
from appliance.storage.redis.connections import connection_class, locator

__all__ = ["Redis", "answered_within", "ask_once", "connect", "translated_errors"]

_CONNECT_TIMEOUT_S = 2
_RETRIES = 2
_ASK_S = 3.0
# Every request in flight takes a connection; when none is left, the next request is refused at once.
_MAX_CONNECTIONS = 1000


def connect(settings: RedisSettings) -> Redis:
    """A client with a pool of connections; it connects when first used. Raises ConfigError without a usable address.

    On a cluster, or with sentinels, each new connection goes to the server that holds our keys at that moment.
    """
    address = address_of(settings)
    common = {
        "protocol": 2,
        "socket_timeout": settings.socket_timeout_ms / 1000,
        "socket_connect_timeout": _CONNECT_TIMEOUT_S,
    }
    kind = connection_class(address)
    place: dict[str, Any] = {}
    if address.mode != "server":
        place["locate"] = locator(address, {**common, "socket_timeout": _CONNECT_TIMEOUT_S})
    elif address.path:
        place["path"] = address.path
    else:
        place["host"], place["port"] = address.nodes[0]
    if address.is_tls and settings.tls_server_name:
        place["server_name"] = settings.tls_server_name
    pool = ConnectionPool(
        connection_class=kind,
        max_connections=_MAX_CONNECTIONS,
        retry=Retry(ExponentialBackoff(cap=0.2, base=0.02), _RETRIES),
        **{**common, **address.arguments, **place},
    )
    return Redis.from_pool(pool)


async def ask_once(settings: RedisSettings, *command: str) -> bytes:
    """The reply to one command on a connection of its own, `$-1` for none; raises StoreUnavailable."""
    async with answered_within(_ASK_S):
        client = connect(settings)
        try:
            reply: Any = await client.execute_command(*command)  # type: ignore[no-untyped-call]
        finally:
            await client.aclose()
    return b"$-1" if reply is None else reply if isinstance(reply, bytes) else str(reply).encode()


@contextlib.contextmanager
def translated_errors() -> Iterator[None]:
    """Raises StoreUnavailable, or Overloaded when Redis is out of memory, in place of the driver's errors."""
    try:
        yield
    except redis.exceptions.OutOfMemoryError as error:
        raise Overloaded("The queue is out of memory.") from error
    except (redis.exceptions.RedisError, OSError) as error:
        raise StoreUnavailable(f"Redis cannot be used right now: {str(error).rstrip('.')}.", store="Redis") from error


@contextlib.asynccontextmanager
async def answered_within(seconds: float) -> AsyncIterator[None]:
    """As `translated_errors`; also raises StoreUnavailable when Redis does not answer within `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            with translated_errors():
                yield
    except TimeoutError as error:
        raise StoreUnavailable(f"Redis did not answer within {seconds:g} s.", store="Redis") from error
