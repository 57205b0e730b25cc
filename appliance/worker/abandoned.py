"""Forgets media that were announced and never arrived, while the worker runs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Final

from appliance.cancelling import cancel
from appliance.errors import ApplianceError
from appliance.storage.postgres.media import MediaRecords
from appliance.storage.redis.lease import Lease

log = logging.getLogger(__name__)

EVERY_S: Final = 3600.0
LEASE_S: Final = 300
MOST_AT_ONCE: Final = 1000
_FIRST_AFTER_S: Final = 60.0


@contextlib.asynccontextmanager
async def forgetting_abandoned(records: MediaRecords, lease: Lease) -> AsyncIterator[None]:
    """Looks every hour inside the block; one worker at a time does."""
    task = asyncio.create_task(_keep_forgetting(records, lease))
    try:
        yield
    finally:
        await cancel(task)


async def _keep_forgetting(records: MediaRecords, lease: Lease) -> None:
    pause_s = _FIRST_AFTER_S
    while True:
        await asyncio.sleep(pause_s)
        pause_s = EVERY_S
        try:
            if await lease.take():
                try:
                    await forget_all(records, lease)
                finally:
                    await lease.give_back()
        except ApplianceError as error:
            log.warning("Media that never arrived are not forgotten this time: %s", error)


async def forget_all(records: MediaRecords, lease: Lease) -> int:
    """Forget them some at a time, for as long as the lease can be renewed; how many there were."""
    total = 0
    while forgotten := await records.forget_abandoned(MOST_AT_ONCE):
        total += forgotten
        if forgotten < MOST_AT_ONCE or not await lease.renew():
            break
    if total:
        log.info("%d media were announced more than a day ago and never arrived: forgotten", total)
    return total
