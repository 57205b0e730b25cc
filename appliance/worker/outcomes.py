"""How each entry is settled: acknowledged, dead-lettered, retried or handed back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Final, TypeVar

from appliance.errors import LookupUnavailable
from appliance.model.queue import Delivery, Entry
from appliance.worker.contract import LiveMessages, Stream
from appliance.worker.retry import AWAY, DOUBTFUL, Backoff, Stopped

log = logging.getLogger(__name__)

PATIENCE_S: Final = 20.0
"""Seconds for which an entry that may itself cause the error is retried before others get their turn."""

T = TypeVar("T")


class Outcomes:
    """The deliveries a worker holds, and how each is settled: acknowledged, retried, dead-lettered or handed back."""

    def __init__(self, stream: Stream, live: LiveMessages, max_attempts: int, stopping: asyncio.Event) -> None:
        self.in_hand: dict[str, int] = {}
        """Attempts by id of all entries that were read and are not settled yet."""
        self.waits_for = ""
        """The store that is being waited for, in one sentence; empty when none is."""
        self._stream = stream
        self._live = live
        self._max_attempts = max_attempts
        self._stopping = stopping

    async def persist(self, work: Callable[[], Awaitable[T]], *, is_alone: bool = True) -> T:
        """The result of `work`, which is retried as long as a store is away.

        Raises Stopped when told to stop meanwhile, and whatever else `work` raises. DOUBTFUL errors are retried for
        `PATIENCE_S` when `work` is about one entry alone, and raised at once otherwise, as LookupUnavailable is.
        """
        backoff = Backoff()
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + (PATIENCE_S if is_alone else 0.0)
        while True:
            try:
                result = await work()
            except LookupUnavailable:
                self.waits_for = ""
                raise
            except (*AWAY, *DOUBTFUL) as error:
                if isinstance(error, DOUBTFUL) and loop.time() >= give_up_at:
                    self.waits_for = ""
                    raise
                self.waits_for = error.message
                log.warning("Waiting: %s", error)
                await backoff.wait(self._stopping)
                if self._stopping.is_set():
                    raise Stopped from None
            else:
                self.waits_for = ""
                return result

    async def acknowledge(self, deliveries: Sequence[Delivery], refused: Mapping[str, int]) -> None:
        """Acknowledge entries whose rows are written; `refused` items by entry were left out. Raises Stopped."""
        await self.persist(lambda: self._stream.ack(deliveries, refused))
        for delivery in deliveries:
            self.in_hand.pop(delivery.id, None)

    async def dead_letter(self, delivery: Delivery, reason: str) -> None:
        """Dead-letter an entry. Raises Stopped."""
        log.error("Entry %s becomes a dead letter: %s", delivery.id, reason)
        await self.persist(lambda: self._stream.dead_letter(delivery, reason))
        self.in_hand.pop(delivery.id, None)

    async def dead_letter_part(self, delivery: Delivery, number: int, part: Entry, reason: str) -> None:
        """Dead-letter one part of an entry, and go on with the others. Raises Stopped."""
        log.error("Part %d of entry %s becomes a dead letter: %s", number, delivery.id, reason)
        await self.persist(lambda: self._stream.dead_letter_part(delivery, number, part, reason))

    def is_last_attempt(self, delivery: Delivery) -> bool:
        """Whether the entry is dead-lettered when it fails now."""
        return delivery.attempts >= self._max_attempts

    async def retry_later(self, delivery: Delivery, reason: str) -> None:
        """Leave an entry to be claimed again later; dead-letter it after too many attempts. Raises Stopped."""
        if self.is_last_attempt(delivery):
            await self.dead_letter(delivery, reason)
        self.in_hand.pop(delivery.id, None)

    async def hand_back(self, consumer: str) -> None:
        """Hand unsettled entries back to the next worker; a stop is not counted as an attempt.

        Raises StoreUnavailable.
        """
        await self._stream.keep(consumer, {id: attempts - 1 for id, attempts in self.in_hand.items()})

    async def report_changes(self, projects: Mapping[str, Sequence[str]]) -> None:
        """Publish which traces changed, by project. Raises Stopped.

        Called before their entries are acknowledged, so that a crash between the two repeats an event but loses none.
        """
        for project_id, trace_ids in projects.items():
            await self.persist(partial(self._live.publish, project_id, trace_ids))
