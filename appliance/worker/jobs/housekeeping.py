"""Hourly housekeeping: retention, deletions that lost their job, records of old jobs."""

from __future__ import annotations

import time
from typing import Final

from appliance.model.jobs import APPLY_RETENTION, PURGE_DELETED
from appliance.storage.clickhouse import deletions
from appliance.storage.postgres.jobs import Jobs
from appliance.storage.postgres.tenants import Projects
from appliance.storage.redis.deletions import PendingDeletions
from appliance.storage.redis.lease import Lease
from appliance.worker.schedule import Stores

EVERY_S: Final = 3600.0
LEASE_S: Final = 300
ABANDONED_AFTER_S: Final = 600
"""Seconds; longer than it takes to list the objects of a deletion."""
KEPT_DAYS: Final = 7
"""How long records of jobs that are done or cancelled are kept; failed ones stay until they are retried."""


class Housekeeping:
    """Runs first when the worker starts: a restart may have come between a deletion and its job."""

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
        jobs = Jobs(self._stores.postgres)
        await self._resume_deletions(jobs)
        await jobs.enqueue(APPLY_RETENTION, unique_key="")
        await jobs.forget(KEPT_DAYS)

    async def _resume_deletions(self, jobs: Jobs) -> None:
        clickhouse, flags = self._stores.clickhouse, PendingDeletions(self._stores.redis)
        now = time.time_ns() // 1000
        old = now - ABANDONED_AFTER_S * 1_000_000
        hidden = await deletions.pending(clickhouse)
        for each in hidden:
            await flags.add(each.moment)  # Redis may have lost it; without the flag, reads show deleted rows
            if not each.is_complete and each.moment < old:  # the process that listed the objects has ended
                await deletions.complete(clickhouse, each.moment)
        await flags.remove_except({each.moment for each in hidden}, old)
        if projects := await Projects(self._stores.postgres).withdrawn():
            await flags.add(now)
            for project_id in projects:
                await deletions.hide(clickhouse, "project", project_id, [project_id], now)
            await deletions.complete(clickhouse, now)
        if hidden or projects:
            await jobs.enqueue(PURGE_DELETED, unique_key="")
