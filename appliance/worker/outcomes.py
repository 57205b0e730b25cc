"""How entries end: acknowledged when their rows are written, given up as dead letters, or left for later."""

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
"""How long an entry that is perhaps to blame is tried before others get their turn."""

T = TypeVar("T")


class Outcomes:
    """What a worker has in hand, and the ways out of its hands."""

    def __init__(self, stream: Stream, live: LiveMessages, max_attempts: int, stopping: asyncio.Event) -> None:
        self.in_hand: dict[str, int] = {}
        """All entries that were read and are neither acknowledged nor given up here: attempts by id."""
        self.waits_for = ""
        """What is away, in one sentence; empty when all goes on."""
        self._stream = stream
        self._live = live
        self._max_attempts = max_attempts
        self._stopping = stopping

    async def persist(self, work: Callable[[], Awaitable[T]], *, is_alone: bool = True) -> T:
        """The result of `work`, done again and again for as long as a store is away.

        Raises Stopped when told to stop meanwhile, and whatever else `work` raises. What is DOUBTFUL is tried for a
        while when `work` is about one entry alone, and raised at once otherwise; LookupUnavailable is raised at once.
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
        """Their rows are written, but for so many items of entries that were `refused`. Raises Stopped."""
        await self.persist(lambda: self._stream.ack(deliveries, refused))
        for delivery in deliveries:
            self.in_hand.pop(delivery.id, None)

    async def give_up(self, delivery: Delivery, reason: str) -> None:
        """Make a dead letter of an entry. Raises Stopped."""
        log.error("Entry %s becomes a dead letter: %s", delivery.id, reason)
        await self.persist(lambda: self._stream.dead_letter(delivery, reason))
        self.in_hand.pop(delivery.id, None)

    async def set_aside(self, delivery: Delivery, number: int, part: Entry, reason: str) -> None:
        """Make a dead letter of one part of an entry, whose other parts go on. Raises Stopped."""
        log.error("Part %d of entry %s becomes a dead letter: %s", number, delivery.id, reason)
        await self.persist(lambda: self._stream.set_aside(delivery, number, part, reason))

    def is_last_attempt(self, delivery: Delivery) -> bool:
        """Whether what fails now is given up."""
        return delivery.attempts >= self._max_attempts

    async def try_later(self, delivery: Delivery, reason: str) -> None:
        """Leave an entry to be claimed again after a while; give it up after too many attempts. Raises Stopped."""
        if self.is_last_attempt(delivery):
            await self.give_up(delivery, reason)
        self.in_hand.pop(delivery.id, None)

    async def leave(self, consumer: str) -> None:
        """Leave what is in hand to the next worker, as if it had never been handed out: stopping is nobody's failure.

        Raises StoreUnavailable.
        """
        await self._stream.keep(consumer, {id: attempts - 1 for id, attempts in self.in_hand.items()})

    async def report_changes(self, projects: Mapping[str, Sequence[str]]) -> None:
        """Tell who watches which traces changed, by project, before their entries are acknowledged. Raises Stopped.

        So none is missed by a crash between the two; to be told twice harms nobody.
        """
        for project_id, trace_ids in projects.items():
            await self.persist(partial(self._live.publish, project_id, trace_ids))
