"""The queue of entries, in memory."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from appliance.model.queue import Delivery, Entry
from appliance.storage.redis.ingest_stream import MAX_BODY_READ


@dataclass(slots=True)
class Held:
    """An entry in somebody's hands."""

    consumer: str
    attempts: int
    since: float
    """Seconds of the loop's clock when it was handed out, or its holder last said that it works on it."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter."""

    entry: Entry
    error: str
    attempts: int


class FakeStream:
    """Behaves as `appliance.storage.redis.ingest_stream.IngestStream`; `failing` makes any of it fail."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.held: dict[str, Held] = {}
        self.letters: list[Letter] = []
        self.written: dict[str, tuple[int, int]] = {}
        """Items written, and items refused, of each entry that was acknowledged."""
        self.failing: dict[str, list[Exception]] = {}
        """What calls of a method raise, by its name, one after the other."""
        self.calls: list[str] = []
        self._aside: set[tuple[str, int]] = set()
        self._handed_out = 0
        """Number of the newest entry that anybody was given."""
        self._numbers = itertools.count(1)
        self._arrived = asyncio.Event()

    def fail(self, method: str, *errors: Exception) -> None:
        """Let the next calls of a method raise these."""
        self.failing.setdefault(method, []).extend(errors)

    async def append(self, entry: Entry) -> str:
        id = f"{next(self._numbers)}-0"
        self.entries[id] = entry
        self._arrived.set()
        return id

    async def read(self, consumer: str, count: int, block_ms: int, max_bytes: int = MAX_BODY_READ) -> list[Delivery]:
        self._called("read")
        if not (found := self._new(consumer, count, max_bytes)) and block_ms:
            self._arrived.clear()
            try:
                async with asyncio.timeout(block_ms / 1000):
                    await self._arrived.wait()
            except TimeoutError:
                return []
            found = self._new(consumer, 1, max_bytes)
        return found

    async def read_pending(
        self, consumer: str, count: int, after: str = "0", max_bytes: int = MAX_BODY_READ
    ) -> list[Delivery]:
        self._called("read_pending")
        mine = [id for id, held in self.held.items() if held.consumer == consumer and _number(id) > _number(after)]
        return self._hand_out(consumer, sorted(mine, key=_number)[:count], max_bytes)

    async def claim_stale(self, consumer: str, min_idle_ms: int) -> list[Delivery]:
        self._called("claim_stale")
        latest = self._now - min_idle_ms / 1000
        stale = sorted((id for id, held in self.held.items() if held.since <= latest), key=_number)
        return self._hand_out(consumer, stale[:1], MAX_BODY_READ)

    async def fetch(self, delivery: Delivery, consumer: str) -> Delivery | None:
        self._called("fetch")
        held = self.held.get(delivery.id)
        if held is None or held.consumer != consumer:
            return None
        return Delivery(delivery.id, self.entries[delivery.id], delivery.attempts)

    async def keep(self, consumer: str, attempts: Mapping[str, int]) -> None:
        self._called("keep")
        for id, count in attempts.items():
            if id in self.held:
                self.held[id] = Held(consumer, count, self._now)

    async def ack(self, deliveries: Sequence[Delivery], refused: Mapping[str, int] | None = None) -> None:
        self._called("ack")
        for each in deliveries:
            if self._end(each.id) is not None:
                left_out = (refused or {}).get(each.id, 0)
                self.written[each.id] = max(each.entry.items - left_out, 0), left_out

    async def dead_letter(self, delivery: Delivery, error: str) -> None:
        self._called("dead_letter")
        if (entry := self._end(delivery.id)) is not None:
            self.letters.append(Letter(entry, error, delivery.attempts))

    async def dead_letter_part(self, delivery: Delivery, number: int, part: Entry, error: str) -> None:
        self._called("dead_letter_part")
        if (delivery.id, number) not in self._aside:
            self._aside.add((delivery.id, number))
            self.letters.append(Letter(part, error, delivery.attempts))

    def _called(self, method: str) -> None:
        self.calls.append(method)
        if errors := self.failing.get(method):
            raise errors.pop(0)

    def _new(self, consumer: str, count: int, max_bytes: int) -> list[Delivery]:
        fresh = [id for id in self.entries if _number(id) > self._handed_out]
        found = self._hand_out(consumer, fresh[:count], max_bytes)
        self._handed_out = max((_number(each.id) for each in found), default=self._handed_out)
        return found

    def _hand_out(self, consumer: str, ids: Sequence[str], max_bytes: int) -> list[Delivery]:
        found: list[Delivery] = []
        size = 0
        for id in ids:
            if size >= max_bytes:
                break
            entry = self.entries[id]
            if len(entry.body) > MAX_BODY_READ:
                entry = dataclasses.replace(entry, body=b"")
            size += len(entry.body)
            tried = self.held[id].attempts if id in self.held else 0
            self.held[id] = Held(consumer, tried + 1, self._now)
            found.append(Delivery(id, entry, tried + 1))
        return found

    def _end(self, id: str) -> Entry | None:
        self.held.pop(id, None)
        return self.entries.pop(id, None)

    @property
    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def _number(id: str) -> int:
    return int(id.partition("-")[0])
