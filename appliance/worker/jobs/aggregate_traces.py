"""Keeps the aggregated traces up to date: every half minute, and at once when many are pending."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from appliance.errors import QueryTooExpensive
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.traces.aggregate import (
    MOST_DIRTY,
    aggregate_round,
    count_pending,
    forget_dirty_traces,
)
from appliance.storage.redis.lease import Lease
from appliance.worker.schedule import Stores

EVERY_S: Final = 30.0
COUNT_EVERY_S: Final = 5.0
"""Seconds between counts of the pending traces, whoever wrote them: a worker, a restored copy or a migration."""
COUNT_SOON_S: Final = 2.0
HURRY_FOR_S: Final = 30.0
"""Seconds after many traces were pending in which they are counted more often and aggregated at once."""
LEASE: Final = "folding"
"""Name of the lease that a worker holds while it writes or deletes aggregates."""
LEASE_S: Final = 360
"""Longer than the statements of one round may take together."""
MANY_TRACES: Final = 1_000
"""Aggregate at once when this many traces are pending; until then readers aggregate them on every read."""
_FORGET_EVERY_S: Final = 3600.0
_LESS: Final = 8
"""A round that runs out of time or memory is repeated with this fraction of its traces."""


class AggregateTraces:
    """Counts pending traces every few seconds, and aggregates them; one worker at a time does."""

    name = "The aggregation of traces"

    def __init__(self, stores: Stores) -> None:
        self._aggregator = Aggregator(stores.clickhouse, Lease(stores.redis, LEASE, LEASE_S))

    async def run(self) -> float:
        await self._aggregator.look()
        return self._aggregator.pause_s


class Aggregator:
    """Counts the pending traces, and aggregates when it is time."""

    def __init__(self, clickhouse: ClickHouse, lease: Lease, clock: Callable[[], float] = time.monotonic) -> None:
        self._clickhouse = clickhouse
        self._lease = lease
        self._clock = clock
        self._aggregated_at = self._forgotten_at = self._many_at = float("-inf")
        self._took_s = 0.0

    @property
    def pause_s(self) -> float:
        """Seconds until the next count; no shorter than the last round took."""
        is_hurried = self._clock() - self._many_at < HURRY_FOR_S
        return min(max(COUNT_SOON_S, self._took_s), COUNT_EVERY_S) if is_hurried else COUNT_EVERY_S

    async def look(self) -> None:
        """Aggregate when it is time; raises StoreUnavailable, and QueryTooExpensive for one trace that is too large."""
        pending, now = await count_pending(self._clickhouse), self._clock()
        if pending >= MANY_TRACES:
            self._many_at = now
        hurries = pending > 0 and now - self._many_at < HURRY_FOR_S
        if not (hurries or now - self._aggregated_at >= EVERY_S) or not await self._lease.take():
            return
        self._aggregated_at = now
        try:
            await aggregate_all(self._clickhouse, self._lease, soon=hurries)
            self._took_s = self._clock() - now
            if now - self._forgotten_at > _FORGET_EVERY_S:
                await forget_dirty_traces(self._clickhouse)
                self._forgotten_at = now
        finally:
            await self._lease.give_back()


async def aggregate_all(clickhouse: ClickHouse, lease: Lease, *, soon: bool = False) -> None:
    """Run rounds until no trace is pending; a round that runs out of time or memory is repeated with fewer traces."""
    most, is_finished = MOST_DIRTY, False
    while not is_finished:
        try:
            is_finished = await aggregate_round(clickhouse, most=most, soon=soon) < most
        except QueryTooExpensive:
            if most == 1:
                raise
            most = max(most // _LESS, 1)
        # Without the lease another worker may have begun: two rounds at once would aggregate the same traces.
        is_finished = is_finished or not await lease.renew()
