"""Entries that need a lookup while Postgres is away: they stay in Redis, and others go on.

Their order does not matter: events are aggregated by their own times, and spans are written whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from appliance.model.queue import Delivery
from appliance.worker.contract import Lookups


class WaitingForPostgres:
    """The entries that wait; `resume` gets each, without its body, when Postgres answers again."""

    def __init__(self, lookups: Lookups, resume: Callable[[Delivery], None]) -> None:
        self._lookups = lookups
        self._resume = resume
        self._waiting: list[Delivery] = []
        self._arrived = asyncio.Event()

    def put(self, delivery: Delivery) -> None:
        """Keep an entry's place, but not its body."""
        self._waiting.append(delivery.without_body())
        self._arrived.set()

    @property
    def summary(self) -> str:
        """How many entries wait, in one sentence; empty when none does."""
        count = len(self._waiting)
        return f"{count} requests wait for Postgres to look up what they name." if count else ""

    async def work(self) -> None:
        """Resume the waiting entries as soon as Postgres answers; runs until cancelled."""
        while True:
            await self._arrived.wait()
            await self._lookups.answers()
            waiting, self._waiting = self._waiting, []
            self._arrived.clear()
            for delivery in waiting:
                self._resume(delivery)
