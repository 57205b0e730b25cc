"""The queue from web to worker: a Redis stream with one entry per accepted request, deleted when acknowledged."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import redis.exceptions
from redis.asyncio import Redis

from appliance.config import IngestionSettings
from appliance.errors import Overloaded
from appliance.model.services import QueueStatus
from appliance.storage.redis.client import answered_within, translated_errors
from appliance.storage.redis.keys import key

Kind = Literal["otlp-protobuf", "otlp-json", "events", "scores"]

STREAM: Final = key("ingest")
GROUP: Final = "workers"
DEAD_LETTERS: Final = key("dead-letters")

_ROOM_CHECK_S = 0.5
_MEMORY_SHARE = 0.9
_MEMORY_SAMPLES = 16
# Whoever sends waits no longer than this for a Redis that hangs; the worker has time.
_APPEND_S = 2.5
_LOOK_S = 2.0

# The body of the oldest entry may be large: only its id leaves the server.
_OLDEST_ID = "local e = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1); return e[1] and e[1][1] or false"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One accepted request."""

    kind: Kind
    project_id: str
    body: bytes
    """OTLP as received (see `encoding`); for events and scores a JSON list of the valid ones."""
    accepted_at: int
    """Microseconds since the epoch."""
    encoding: Literal["", "gzip"] = ""
    sdk_name: str = ""
    sdk_version: str = ""

    def fields(self) -> dict[Any, Any]:
        """The entry as fields of a stream entry."""
        return {
            b"k": self.kind,
            b"p": self.project_id,
            b"e": self.encoding,
            b"t": self.accepted_at,
            b"s": self.sdk_name,
            b"v": self.sdk_version,
            b"b": self.body,
        }

    @classmethod
    def from_fields(cls, fields: dict[bytes, bytes]) -> Entry:
        """The entry that `fields` were made from."""
        return cls(
            kind=fields[b"k"].decode(),  # type: ignore[arg-type]  # written by `fields` only
            project_id=fields[b"p"].decode(),
            encoding=fields[b"e"].decode(),  # type: ignore[arg-type]
            accepted_at=int(fields[b"t"]),
            sdk_name=fields[b"s"].decode(),
            sdk_version=fields[b"v"].decode(),
            body=fields[b"b"],
        )


@dataclass(frozen=True, slots=True)
class Delivery:
    """An entry in the hands of one consumer until it is acknowledged."""

    id: str
    entry: Entry
    attempts: int
    """How often it was handed out, this time included."""


class IngestStream:
    """Append on one side, read and acknowledge on the other. Every method raises StoreUnavailable."""

    def __init__(self, client: Redis, settings: IngestionSettings) -> None:
        self._redis = client
        self._settings = settings
        self._room_checked_at = 0.0
        self._no_room = ""

    async def append(self, entry: Entry) -> str:
        """Store an entry durably and return its id; raises Overloaded when the backlog is at its bound."""
        await self.require_room()
        async with answered_within(_APPEND_S):
            entry_id: Any = await self._redis.xadd(STREAM, entry.fields())
        return str(entry_id.decode())

    async def require_room(self) -> None:
        """Raise Overloaded when the backlog is at its bound; looks twice a second at most."""
        now = time.monotonic()
        if now - self._room_checked_at >= _ROOM_CHECK_S:
            self._room_checked_at = now
            self._no_room = await self._why_no_room()
        if self._no_room:
            raise Overloaded(self._no_room)

    async def backlog(self) -> QueueStatus:
        """How much waits: entries, age of the oldest in seconds, dead letters."""
        with translated_errors():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.xlen(STREAM)
                pipe.eval(_OLDEST_ID, 1, STREAM)
                pipe.xlen(DEAD_LETTERS)
                pipe.time()
                entries, oldest, dead, (seconds, micros) = await pipe.execute()
        oldest_s = 0.0
        if oldest:
            oldest_s = max(0.0, seconds + micros / 1e6 - int(oldest.partition(b"-")[0]) / 1e3)
        return QueueStatus(backlog=entries, oldest_s=round(oldest_s, 3), dead_letters=dead)

    async def read(self, consumer: str, count: int, block_ms: int) -> list[Delivery]:
        """Up to `count` entries nobody has yet, in order of arrival; waits up to `block_ms` for the first."""
        return [Delivery(id, entry, 1) for id, entry in await self._read_group(consumer, ">", count, block_ms)]

    async def read_pending(self, consumer: str, count: int, after: str = "0") -> list[Delivery]:
        """Entries this consumer was given before and did not acknowledge (after a crash), from the id `after` on."""
        return await self._with_attempts(await self._read_group(consumer, after, count, None))

    async def claim_stale(self, consumer: str, min_idle_ms: int, count: int) -> list[Delivery]:
        """Take over entries that another consumer holds for longer than `min_idle_ms`."""
        with translated_errors():
            await self._ensure_group()
            answer: Any = await self._redis.xautoclaim(STREAM, GROUP, consumer, min_idle_ms, "0", count=count)
        # Redis 6.2 reports an entry that is gone as a pair of None.
        found = [(id.decode(), Entry.from_fields(fields)) for id, fields in answer[1] if fields]
        return await self._with_attempts(found)

    async def ack(self, ids: Sequence[str]) -> None:
        """Forget entries whose rows are written."""
        if not ids:
            return
        with translated_errors():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.xack(STREAM, GROUP, *ids)
                pipe.xdel(STREAM, *ids)
                await pipe.execute()

    async def dead_letter(self, delivery: Delivery, error: str) -> None:
        """Move an entry that cannot be processed to the dead letters, with the reason."""
        with translated_errors():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.xadd(DEAD_LETTERS, {**delivery.entry.fields(), b"error": error, b"id": delivery.id})
                pipe.xack(STREAM, GROUP, delivery.id)
                pipe.xdel(STREAM, delivery.id)
                await pipe.execute()

    async def replay_dead_letters(self, count: int = 100) -> int:
        """Put up to `count` dead letters back into the queue; returns how many."""
        with translated_errors():
            letters: Any = await self._redis.xrange(DEAD_LETTERS, count=count)
            for id, fields in letters:
                async with self._redis.pipeline(transaction=True) as pipe:
                    pipe.xadd(STREAM, {k: v for k, v in fields.items() if k not in (b"error", b"id")})
                    pipe.xdel(DEAD_LETTERS, id)
                    await pipe.execute()
        return len(letters)

    async def _read_group(self, consumer: str, start: str, count: int, block_ms: int | None) -> list[tuple[str, Entry]]:
        answer: Any
        with translated_errors():
            try:
                answer = await self._redis.xreadgroup(GROUP, consumer, {STREAM: start}, count=count, block=block_ms)
            except redis.exceptions.ResponseError as error:
                if "NOGROUP" not in str(error):
                    raise
                await self._ensure_group()
                answer = await self._redis.xreadgroup(GROUP, consumer, {STREAM: start}, count=count, block=block_ms)
        found = answer[0][1] if answer else []
        gone = [id.decode() for id, fields in found if not fields]
        await self.ack(gone)
        return [(id.decode(), Entry.from_fields(fields)) for id, fields in found if fields]

    async def _ensure_group(self) -> None:
        with contextlib.suppress(redis.exceptions.ResponseError):  # BUSYGROUP: it exists
            await self._redis.xgroup_create(STREAM, GROUP, id="0", mkstream=True)

    async def _with_attempts(self, found: list[tuple[str, Entry]]) -> list[Delivery]:
        if not found:
            return []
        with translated_errors():
            async with self._redis.pipeline(transaction=False) as pipe:
                for id, _ in found:
                    pipe.xpending_range(STREAM, GROUP, id, id, 1)
                pending = await pipe.execute()
        attempts = [rows[0]["times_delivered"] if rows else 1 for rows in pending]
        return [Delivery(id, entry, tried) for (id, entry), tried in zip(found, attempts, strict=True)]

    async def _why_no_room(self) -> str:
        async with answered_within(_LOOK_S), self._redis.pipeline(transaction=False) as pipe:
            pipe.xlen(STREAM)
            pipe.memory_usage(STREAM, samples=_MEMORY_SAMPLES)
            pipe.info("memory")
            entries, stream_bytes, memory = await pipe.execute()
        if entries >= self._settings.max_backlog_entries:
            return f"The backlog is full: {entries} requests wait."
        if entries and (stream_bytes or 0) >= self._settings.max_backlog_bytes:
            return f"The backlog is full: {stream_bytes} bytes wait."
        limit = memory.get("maxmemory", 0)
        if limit and memory["used_memory"] >= limit * _MEMORY_SHARE:
            return "The queue is nearly out of memory."
        return ""
