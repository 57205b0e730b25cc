"""Deleting on request: out of sight when the call returns, carried out by a job."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from appliance.model.filters import Condition
from appliance.model.jobs import PURGE_DELAY_S, PURGE_DELETED
from appliance.storage.clickhouse import deletions
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.deletions import Kind
from appliance.storage.postgres.jobs import Jobs
from appliance.storage.redis.deletions import PendingDeletions

MOST_AT_ONCE: Final = 1_000_000
"""Traces that one request may delete by a filter."""


@dataclass(frozen=True, slots=True)
class Deleter:
    """Deletes objects. Every method raises StoreUnavailable, and then some may be hidden already: call it again."""

    clickhouse: ClickHouse
    pending: PendingDeletions
    jobs: Jobs

    async def delete(self, kind: Kind, project_id: str, ids: Sequence[str]) -> None:
        """Delete objects by their ids; those that do not exist are passed over."""
        moment = await self._begin()
        await deletions.hide(self.clickhouse, kind, project_id, ids, moment)
        await self._enqueue()

    async def delete_traces(self, project_id: str, conditions: Sequence[Condition]) -> int:
        """Delete all traces that fulfil the conditions and return how many; raises InvalidRequest, too."""
        moment = await self._begin()
        await deletions.hide_traces(self.clickhouse, project_id, conditions, MOST_AT_ONCE, moment)
        hidden = sum(each.objects for each in await deletions.pending(self.clickhouse) if each.moment == moment)
        await self._enqueue()
        return hidden

    async def delete_session(self, project_id: str, session_id: str) -> int:
        """Delete a session with its traces and scores and return how many traces it had."""
        of_session = Condition(type="string", column="sessionId", operator="=", value=session_id)
        traces = await self.delete_traces(project_id, [of_session])
        await self.delete("session", project_id, [session_id])
        return traces

    async def _begin(self) -> int:
        """Have all reads look for deleted rows from now on."""
        moment = time.time_ns() // 1000
        await self.pending.add(moment)
        return moment

    async def _enqueue(self) -> None:
        await self.jobs.enqueue(PURGE_DELETED, unique_key="", delay_s=PURGE_DELAY_S)
