"""What has to happen every hour: retention, deletions that lost their job, records of old jobs."""

from __future__ import annotations

from typing import Final

from appliance.model.jobs import APPLY_RETENTION, PURGE_DELETED
from appliance.storage.clickhouse import deletions
from appliance.storage.postgres.jobs import Jobs
from appliance.storage.redis.deletions import PendingDeletions
from appliance.storage.redis.lease import Lease
from appliance.worker.schedule import Stores

EVERY_S: Final = 3600.0
LEASE_S: Final = 300
KEPT_DAYS: Final = 7
"""How long records of jobs that are done or cancelled are kept; failed ones stay until they are retried."""


class Housekeeping:
    """Begins with the worker: a restart may have come between a deletion and its job."""

    name = "Housekeeping"

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._lease = Lease(stores.redis, "housekeeping", LEASE_S)

    async def run(self) -> float:
        if await self._lease.take():
            try:
                await self._do()
            finally:
                await self._lease.give_back()
        return EVERY_S

    async def _do(self) -> None:
        jobs, flags = Jobs(self._stores.postgres), PendingDeletions(self._stores.redis)
        if hidden := await deletions.pending(self._stores.clickhouse):
            for each in hidden:
                await flags.add(each.moment)
            await jobs.enqueue(PURGE_DELETED, unique_key="")
        await jobs.enqueue(APPLY_RETENTION, unique_key="")
        await jobs.forget(KEPT_DAYS)
