"""Forgets media that were announced and never arrived."""

from __future__ import annotations

import logging
from typing import Final

from appliance.storage.postgres.media import MediaRecords
from appliance.storage.redis.lease import Lease
from appliance.worker.schedule import Stores

log = logging.getLogger(__name__)

EVERY_S: Final = 3600.0
LEASE_S: Final = 300
MOST_AT_ONCE: Final = 1000


class ForgetMedia:
    """Runs when the worker starts and every hour, in one worker at a time."""

    name = "Forgetting media that never arrived"

    def __init__(self, stores: Stores) -> None:
        self._records = MediaRecords(stores.postgres)
        self._lease = Lease(stores.redis, "abandoned-media", LEASE_S)

    async def run(self) -> float:
        if await self._lease.take():
            try:
                await forget_all(self._records, self._lease)
            finally:
                await self._lease.give_back()
        return EVERY_S


async def forget_all(records: MediaRecords, lease: Lease) -> int:
    """Forget them in batches while the lease can be renewed; returns how many there were."""
    total = 0
    while forgotten := await records.forget_abandoned(MOST_AT_ONCE):
        total += forgotten
        if forgotten < MOST_AT_ONCE or not await lease.renew():
            break
    if total:
        log.info("%d media were announced more than a day ago and never arrived: forgotten", total)
    return total
