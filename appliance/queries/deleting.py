"""Deletions on request: objects are hidden when the call returns, and deleted by a job."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from appliance.errors import RequestError
from appliance.model.filters import Condition
from appliance.model.jobs import PURGE_DELAY_S, PURGE_DELETED
from appliance.storage.clickhouse import deletions
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.deletions import ObjectKind
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

    async def delete(self, kind: ObjectKind, project_id: str, ids: Sequence[str]) -> None:
        """Delete objects by their ids; unknown ids are ignored."""
        async with self.deletion() as moment:
            await deletions.hide(self.clickhouse, kind, project_id, ids, moment)

    async def is_deleted(self, kind: ObjectKind, project_id: str, id: str) -> bool:
        """Whether an object was deleted and rows of it may still be stored."""
        return await self.pending.any() and await deletions.is_listed(self.clickhouse, kind, project_id, id)

    async def delete_traces(self, project_id: str, conditions: Sequence[Condition]) -> int:
        """Delete all traces that fulfil the conditions and return how many; raises InvalidRequest, too."""
        async with self.deletion() as moment:
            await deletions.hide_traces(self.clickhouse, project_id, conditions, MOST_AT_ONCE, moment)
        pending = await deletions.pending(self.clickhouse)
        return sum(each.kinds.get("trace", 0) for each in pending if each.moment == moment)

    async def delete_session(self, project_id: str, session_id: str) -> int:
        """Delete a session with its traces and scores and return how many traces it had."""
        of_session = Condition(type="string", column="sessionId", operator="=", value=session_id)
        traces = await self.delete_traces(project_id, [of_session])
        await self.delete("session", project_id, [session_id])
        return traces

    @asynccontextmanager
    async def deletion(self) -> AsyncIterator[int]:
        """The moment of a deletion, whose objects are listed inside the block; at its end a job is enqueued."""
        moment = time.time_ns() // 1000
        await self.pending.add(moment)  # from now on all reads look for deleted rows
        try:
            yield moment
        except RequestError:
            await self.pending.remove([moment])
            raise
        await deletions.complete(self.clickhouse, moment)
        await self.jobs.enqueue(PURGE_DELETED, unique_key="", delay_s=PURGE_DELAY_S)
