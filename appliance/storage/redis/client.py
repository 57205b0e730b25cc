"""One way to connect to Redis, and the translation of its errors."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import redis.exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff

from appliance.config import RedisSettings
from appliance.errors import ConfigError, Overloaded, StoreUnavailable

__all__ = ["Redis", "answered_within", "connect", "translated_errors"]

_SOCKET_TIMEOUT_S = 15
_CONNECT_TIMEOUT_S = 2
_RETRIES = 2
# Every request in flight takes one; when they run out, the next is refused at once.
_MAX_CONNECTIONS = 1000


def connect(settings: RedisSettings) -> Redis:
    """A client with a pool of connections; it connects when first used. Raises ConfigError without an address."""
    if not settings.url:
        raise ConfigError("There is no address of Redis.", hint="Set REDIS_CONNECTION_STRING or REDIS_HOST.")
    try:
        client = Redis.from_url(
            settings.url,
            protocol=2,
            max_connections=_MAX_CONNECTIONS,
            socket_timeout=_SOCKET_TIMEOUT_S,
            socket_connect_timeout=_CONNECT_TIMEOUT_S,
            retry=Retry(ExponentialBackoff(cap=0.2, base=0.02), _RETRIES),
        )
    except ValueError as error:
        raise ConfigError(f"The address of Redis cannot be used: {error}.") from error
    return client


@contextlib.contextmanager
def translated_errors() -> Iterator[None]:
    """Raises StoreUnavailable, or Overloaded when Redis is out of memory, in place of the driver's errors."""
    try:
        yield
    except redis.exceptions.OutOfMemoryError as error:
        raise Overloaded("The queue is out of memory.") from error
    except (redis.exceptions.RedisError, OSError) as error:
        raise StoreUnavailable(f"Redis cannot be used right now: {str(error).rstrip('.')}.") from error


@contextlib.asynccontextmanager
async def answered_within(seconds: float) -> AsyncIterator[None]:
    """As `translated_errors`, and raises StoreUnavailable too when a connected Redis stays silent for so long."""
    try:
        async with asyncio.timeout(seconds):
            with translated_errors():
                yield
    except TimeoutError as error:
        raise StoreUnavailable(f"Redis did not answer within {seconds:g} s.") from error
