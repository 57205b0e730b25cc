"""Copies every key of one Redis into another one, value by value: an older server cannot read a newer one's dumps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from redis.asyncio import Redis

from appliance.errors import CopyFailed
from appliance.storage.redis.client import translated_errors
from appliance.storage.redis.ingest_stream import FORMAT_KEY, GROUP, STREAM

_SHORT_LIVED_MS: Final = 60_000
"""Keys that expire sooner, such as heartbeats, are not copied."""
_ENTRIES_PER_READ: Final = 50


async def copy_keys(source: Redis, target: Redis) -> int:
    """Replace everything in `target` by what `source` holds, and return the number of keys.

    Unacknowledged entries of the queue are delivered again, which is harmless (they are idempotent).
    Raises CopyFailed when the copy differs, and StoreUnavailable.
    """
    with translated_errors():
        await target.flushdb()
        copied = 0
        async for key in source.scan_iter(count=1000):
            left_ms = await source.pttl(key)
            if _is_over_soon(left_ms):
                continue
            await _copy(key, source, target)
            if left_ms > 0:
                await target.pexpire(key, left_ms)
            copied += 1
        return copied


async def holds_anything(redis: Redis) -> bool:
    """Whether there is more than the keys of a first start and heartbeats; raises StoreUnavailable."""
    with translated_errors():
        async for key in redis.scan_iter(count=1000):
            left_ms = await redis.pttl(key)
            if key == FORMAT_KEY.encode() or _is_over_soon(left_ms):
                continue
            if key != STREAM.encode() or await redis.xlen(key) > 0:
                return True
    return False


def _is_over_soon(left_ms: int) -> bool:
    """Whether a key with this PTTL has expired (-2) or soon will; -1 means that it never expires."""
    return left_ms == -2 or 0 <= left_ms < _SHORT_LIVED_MS


# The driver's types do not tell its two kinds of clients apart: `Any` stands for a Redis client here.


async def _copy(key: bytes, source: Any, target: Any) -> None:
    kind = (await source.type(key)).decode()
    copy, size = _KINDS[kind]
    await copy(key, source, target)
    before, after = await getattr(source, size)(key), await getattr(target, size)(key)
    if before != after:
        raise CopyFailed(f"The copy of the Redis key {key.decode(errors='replace')} differs: {before} became {after}.")


async def _copy_string(key: bytes, source: Any, target: Any) -> None:
    await target.set(key, await source.get(key))


async def _copy_hash(key: bytes, source: Any, target: Any) -> None:
    await target.hset(key, mapping=await source.hgetall(key))


async def _copy_list(key: bytes, source: Any, target: Any) -> None:
    await target.rpush(key, *await source.lrange(key, 0, -1))


async def _copy_set(key: bytes, source: Any, target: Any) -> None:
    await target.sadd(key, *await source.smembers(key))


async def _copy_sorted_set(key: bytes, source: Any, target: Any) -> None:
    await target.zadd(key, dict(await source.zrange(key, 0, -1, withscores=True)))


async def _copy_stream(key: bytes, source: Any, target: Any) -> None:
    after = "-"
    while entries := await source.xrange(key, min=after, count=_ENTRIES_PER_READ):
        for id, fields in entries:
            await target.xadd(key, fields, id=id)
        after = "(" + entries[-1][0].decode()
    if key == STREAM.encode():
        await target.xgroup_create(key, GROUP, id="0", mkstream=True)


_KINDS: Final[dict[str, tuple[Callable[[bytes, Any, Any], Awaitable[None]], str]]] = {
    "string": (_copy_string, "strlen"),
    "hash": (_copy_hash, "hlen"),
    "list": (_copy_list, "llen"),
    "set": (_copy_set, "scard"),
    "zset": (_copy_sorted_set, "zcard"),
    "stream": (_copy_stream, "xlen"),
}
