"""The queue from web to worker: a Redis stream with one entry per accepted request, deleted when acknowledged."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import redis.exceptions
from redis.asyncio import Redis

from appliance.config import IngestionSettings
from appliance.errors import Overloaded, StoreUnavailable
from appliance.model.queue import Delivery, Entry
from appliance.model.services import QueueStatus
from appliance.storage.redis.client import answered_within, translated_errors
from appliance.storage.redis.entry_fields import entry_of, fields_of
from appliance.storage.redis.keys import key
from appliance.storage.redis.receipts import RECEIPTS, accepted_fields
from appliance.storage.redis.scripts import Script

_SET_ASIDE_S: Final = 24 * 3600

STREAM: Final = key("ingest")
GROUP: Final = "workers"
DEAD_LETTERS: Final = key("dead-letters")
FORMAT_KEY: Final = key("format")
FORMAT: Final = 1
"""Version of the format of entries, patches and dead letters; raised when older programs would misread it."""

MAX_BODY_READ: Final = 4 * 1024 * 1024
"""Bodies larger than this are not delivered with their entry; `fetch` reads them when there is memory for one."""

_CAPACITY_CHECK_S = 0.5
_MEMORY_SHARE = 0.9
_MEMORY_SAMPLES = 16
# A sender waits no longer than this for a Redis that hangs; the worker has time.
_APPEND_S: Final = 2.5
_REPLICATED_MS: Final = 2000
_LOOK_S: Final = 2.0
_SLOWEST_BYTES_PER_S: Final = 4_000_000
"""What a busy Redis on a slow disk still stores; deadlines grow accordingly."""

# The body of the oldest entry may be large: only its id leaves the server.
_OLDEST_ID = "local e = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1); return e[1] and e[1][1] or false"


class IngestStream:
    """Append on one side, read and acknowledge on the other. Every method raises StoreUnavailable."""

    def __init__(self, client: Redis, settings: IngestionSettings) -> None:
        self._redis = client
        self._settings = settings
        self._capacity_checked_at = 0.0
        self._full = ""
        self._sending_bytes = 0
        """Bytes of bodies being sent to Redis, which answers nobody while it stores one."""
        self._read_script, self._ack_script = Script(client, "read"), Script(client, "ack")
        self._dead_letter_script = Script(client, "dead_letter")
        self._dead_letter_part_script = Script(client, "dead_letter_part")
        self._ensure_group_script = Script(client, "ensure_group")

    async def append(self, entry: Entry) -> str:
        """Store an entry durably and return its id; raises Overloaded when the backlog is at its bound."""
        self._sending_bytes += len(entry.body)
        try:
            await self.require_capacity()
            return await self._append(entry)
        finally:
            self._sending_bytes -= len(entry.body)

    async def _append(self, entry: Entry) -> str:
        longer_s = self._longer_s()
        async with answered_within(_APPEND_S + longer_s):
            if not self._settings.redis_replicas:
                return await _add(self._redis, entry)
            # WAIT counts the writes of its own connection only.
            async with self._redis.client() as connection:
                entry_id = await _add(connection, entry)
                most_ms = _REPLICATED_MS + round(1000 * longer_s)
                reached = await connection.wait(self._settings.redis_replicas, most_ms)
        if reached < self._settings.redis_replicas:
            missed = f"Only {reached} of {self._settings.redis_replicas} replicas have the request."
            raise StoreUnavailable(missed, store="Redis")
        return entry_id

    async def require_capacity(self) -> None:
        """Raise Overloaded when the backlog is at its bound; checks at most twice a second."""
        now = time.monotonic()
        if now - self._capacity_checked_at >= _CAPACITY_CHECK_S:
            self._capacity_checked_at = now
            self._full = await self._full_reason()
        if self._full:
            raise Overloaded(self._full)

    async def backlog(self) -> QueueStatus:
        """The backlog: entries, age of the oldest in seconds, dead letters."""
        with translated_errors():
            # No transaction: when its memory is full, Redis refuses every command in one.
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.xlen(STREAM)
                pipe.eval(_OLDEST_ID, 1, STREAM)
                pipe.xlen(DEAD_LETTERS)
                pipe.time()
                entries, oldest, dead, (seconds, micros) = await pipe.execute()
        oldest_s = 0.0
        if oldest:
            oldest_s = max(0.0, seconds + micros / 1e6 - int(oldest.partition(b"-")[0]) / 1e3)
        return QueueStatus(backlog=entries, oldest_s=round(oldest_s, 3), dead_letters=dead)

    async def read(self, consumer: str, count: int, block_ms: int, max_bytes: int = MAX_BODY_READ) -> list[Delivery]:
        """Up to `count` new entries, in order of arrival; waits up to `block_ms` for the first.

        They are little more than `max_bytes` together; bodies larger than MAX_BODY_READ are left out (see `fetch`).
        """
        entries = await self._read_bounded(consumer, ">", count, max_bytes)
        if not entries and block_ms:
            entries = await self._wait_for_one(consumer, block_ms)
        return [Delivery(id, entry, 1) for id, entry in entries]

    async def read_pending(
        self, consumer: str, count: int, after: str = "0", max_bytes: int = MAX_BODY_READ
    ) -> list[Delivery]:
        """Entries that this consumer read and did not acknowledge before a crash, from the id `after` on."""
        return await self._with_attempts(await self._read_bounded(consumer, after, count, max_bytes))

    async def claim_stale(self, consumer: str, min_idle_ms: int) -> list[Delivery]:
        """Take over one entry that another consumer holds for longer than `min_idle_ms`, if there is one."""
        with translated_errors():
            await self._ensure_group()
            after: Any = "0"
            while True:  # Redis checks ten entries at a time, and returns where to continue
                answer: Any = await self._redis.xautoclaim(STREAM, GROUP, consumer, min_idle_ms, after, count=1)
                after = answer[0]
                # Redis 6.2 reports a deleted entry as a pair of None.
                entries = [(id.decode(), _small(entry_of(fields))) for id, fields in answer[1] if fields]
                if entries or after == b"0-0":
                    return await self._with_attempts(entries)

    async def fetch(self, delivery: Delivery, consumer: str) -> Delivery | None:
        """The delivery with its body; None when the entry is finished, or another consumer holds it by now."""
        with translated_errors():
            # One after the other on one connection, whose buffer shrinks only when the next answer comes.
            async with self._redis.client() as connection:
                entries: Any = await connection.xrange(STREAM, delivery.id, delivery.id)
                held: Any = await connection.xpending_range(STREAM, GROUP, delivery.id, delivery.id, 1)
        if not entries or not held or held[0]["consumer"] != consumer.encode():
            return None
        return Delivery(delivery.id, entry_of(entries[0][1]), delivery.attempts)

    async def keep(self, consumer: str, attempts: Mapping[str, int]) -> None:
        """Renew the claim on these entries, so that no other worker takes them over.

        Their attempts, given by id, are set as well: Redis counted reads after an error as attempts.
        """
        ids: dict[int, list[str]] = {}
        for id, count in attempts.items():
            ids.setdefault(count, []).append(id)
        with translated_errors():
            for count, same in ids.items():
                await self._redis.xclaim(STREAM, GROUP, consumer, 0, list(same), retrycount=count, justid=True)

    async def ack(self, deliveries: Sequence[Delivery], refused: Mapping[str, int] | None = None) -> None:
        """Delete entries whose rows are written, and count them as written.

        `refused` are the numbers of items that were left out on purpose, by entry.
        """
        left_out = refused or {}
        arguments = [
            (
                each.id,
                each.entry.project_id,
                max(each.entry.items - left_out.get(each.id, 0), 0),
                left_out.get(each.id, 0),
            )
            for each in deliveries
        ]
        if not arguments:
            return
        with translated_errors():
            await self._ack_script([STREAM, RECEIPTS], [GROUP, *(word for words in arguments for word in words)])

    async def dead_letter(self, delivery: Delivery, error: str) -> None:
        """Move an entry that cannot be processed to the dead letters, with the reason."""
        with translated_errors():
            keys = [STREAM, DEAD_LETTERS, RECEIPTS]
            was_accepted = int(delivery.entry.kind != "foreign")
            await self._dead_letter_script(keys, [GROUP, delivery.id, error, delivery.attempts, was_accepted])

    async def dead_letter_part(self, delivery: Delivery, number: int, part: Entry, error: str) -> None:
        """Dead-letter one part of an entry, by its number; the entry goes on without the items of the part.

        Does nothing when it is repeated.
        """
        keys = [key("set-aside", delivery.id), DEAD_LETTERS, RECEIPTS]
        fields = [word for pair in fields_of(part).items() for word in pair]
        arguments: list[str | bytes | int] = [_SET_ASIDE_S, number, error, delivery.id, delivery.attempts]
        with translated_errors():
            await self._dead_letter_part_script(keys, [*arguments, part.project_id, part.items, *fields])

    async def _read_bounded(self, consumer: str, start: str, count: int, max_bytes: int) -> list[tuple[str, Entry]]:
        arguments: list[str | bytes | int] = [GROUP, consumer, start, count, max_bytes, MAX_BODY_READ]
        with translated_errors():
            try:
                entries = await self._read_script([STREAM], arguments)
            except redis.exceptions.ResponseError as error:
                if "NOGROUP" not in str(error):
                    raise
                await self._ensure_group()
                entries = await self._read_script([STREAM], arguments)
            if gone := [id for id, fields in entries if not fields]:
                await self._redis.xack(STREAM, GROUP, *gone)
        pairs = [(id.decode(), fields) for id, fields in entries if fields]
        return [(id, entry_of(dict(zip(fields[::2], fields[1::2], strict=True)))) for id, fields in pairs]

    async def _wait_for_one(self, consumer: str, block_ms: int) -> list[tuple[str, Entry]]:
        with translated_errors():
            answer: Any = await self._redis.xreadgroup(GROUP, consumer, {STREAM: ">"}, count=1, block=block_ms)
        entries = answer[0][1] if answer else []
        return [(id.decode(), _small(entry_of(fields))) for id, fields in entries]

    async def _ensure_group(self) -> None:
        await self._ensure_group_script([STREAM], [GROUP])

    async def _with_attempts(self, entries: list[tuple[str, Entry]]) -> list[Delivery]:
        if not entries:
            return []
        with translated_errors():
            async with self._redis.pipeline(transaction=False) as pipe:
                for id, _ in entries:
                    pipe.xpending_range(STREAM, GROUP, id, id, 1)
                pending = await pipe.execute()
        attempts = [rows[0]["times_delivered"] if rows else 1 for rows in pending]
        return [Delivery(id, entry, tried) for (id, entry), tried in zip(entries, attempts, strict=True)]

    def _longer_s(self) -> float:
        """Seconds by which deadlines grow for bodies being sent to Redis."""
        return self._sending_bytes / _SLOWEST_BYTES_PER_S

    async def _full_reason(self) -> str:
        async with answered_within(_LOOK_S + self._longer_s()), self._redis.pipeline(transaction=False) as pipe:
            for stream in (STREAM, DEAD_LETTERS):
                pipe.xlen(stream)
                pipe.memory_usage(stream, samples=_MEMORY_SAMPLES)
            pipe.info("memory")
            entries, entry_bytes, letters, letter_bytes, memory = await pipe.execute()
        if entries + letters >= self._settings.max_backlog_entries:
            return f"The backlog is full: {entries} requests wait{_beside(letters)}."
        total_bytes = (entry_bytes or 0) * bool(entries) + (letter_bytes or 0) * bool(letters)
        if total_bytes >= self._settings.max_backlog_bytes:
            return f"The backlog is full: {total_bytes // 1_000_000} MB wait{_beside(letters)}."
        limit = memory.get("maxmemory", 0)
        if limit and memory["used_memory"] >= limit * _MEMORY_SHARE:
            return "The queue is nearly out of memory."
        return ""


async def _add(client: Redis, entry: Entry) -> str:
    async with client.pipeline(transaction=True) as pipe:
        pipe.xadd(STREAM, fields_of(entry))
        for field, count in zip(accepted_fields(entry.project_id), (1, entry.items), strict=True):
            pipe.hincrby(RECEIPTS, field, count)
        answers: list[Any] = await pipe.execute()
    return str(answers[0].decode())


def _small(entry: Entry) -> Entry:
    """The entry, without its body when that is too large to be kept in memory."""
    return entry if len(entry.body) <= MAX_BODY_READ else dataclasses.replace(entry, body=b"")


def _beside(letters: int) -> str:
    """The part of the message about dead letters, which fill the queue, too."""
    if not letters:
        return ""
    return f" and {letters} dead letters are kept (langfuse-local dead-letters replay, or drop)"
