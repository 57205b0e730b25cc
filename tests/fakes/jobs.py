"""The queue of background jobs, in memory."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from appliance.model.jobs import Job, JobState


class FakeJobs:
    """Behaves as `appliance.storage.postgres.jobs.Jobs`; `pass_time` moves its clock."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self._jobs: dict[str, Job] = {}
        self._keys: dict[str, str | None] = {}
        self._leases: dict[str, datetime] = {}
        self._numbers = itertools.count(1)

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    async def enqueue(
        self,
        kind: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        unique_key: str | None = None,
        delay_s: float = 0,
        message: str = "",
    ) -> str:
        run_at = self.now + timedelta(seconds=delay_s)
        for job in self._jobs.values():
            if unique_key is not None and self._is_twin(job, kind, unique_key) and job.state == "waiting":
                self._put(job, run_at=min(job.run_at, run_at))
                return job.id
        id = f"{next(self._numbers):032x}"
        self._keys[id] = unique_key
        self._jobs[id] = Job(
            id=id,
            kind=kind,
            arguments=dict(arguments or {}),
            state="waiting",
            attempts=0,
            run_at=run_at,
            is_cancelling=False,
            progress=0,
            total=None,
            message=message,
            error=None,
            created_at=self.now,
            started_at=None,
            finished_at=None,
        )
        return id

    async def claim(self, kinds: Sequence[str], lease_s: float) -> Job | None:
        due = [job for job in self._jobs.values() if job.kind in kinds and self._is_due(job)]
        if not due:
            return None
        job = min(due, key=lambda each: each.run_at)
        self.pass_time(1e-6)  # no two claims at one time
        self._leases[job.id] = self.now + timedelta(seconds=lease_s)
        return self._put(job, state="running", attempts=job.attempts + 1, started_at=self.now)

    async def renew(self, job: Job, lease_s: float) -> bool:
        if (held := self._held(job)) is None:
            return False
        self._leases[job.id] = self.now + timedelta(seconds=lease_s)
        return not held.is_cancelling

    async def report(self, job: Job, progress: int, total: int | None, message: str) -> None:
        if (held := self._held(job)) is not None:
            self._put(held, progress=progress, total=total, message=message)

    async def finish(self, job: Job, state: JobState, error: str | None = None) -> None:
        if (held := self._held(job)) is not None:
            self._put(held, state=state, error=error, is_cancelling=False, finished_at=self.now)

    async def run_later(self, job: Job, delay_s: float, error: str | None = None, *, counts: bool = True) -> None:
        if (held := self._held(job)) is None:
            return
        key = self._keys[job.id]
        has_twin = key is not None and any(
            self._is_twin(each, job.kind, key) and each.state == "waiting" for each in self._jobs.values()
        )
        state: JobState = "cancelled" if held.is_cancelling else "done" if has_twin else "waiting"
        self._put(
            held,
            state=state,
            error=error,
            is_cancelling=False,
            attempts=held.attempts - (not counts),
            run_at=self.now + timedelta(seconds=delay_s),
            finished_at=None if state == "waiting" else self.now,
        )

    async def list(self, states: Sequence[JobState] | None = None, limit: int = 50) -> list[Job]:
        found = [job for job in self._jobs.values() if states is None or job.state in states]
        return sorted(found, key=lambda job: (job.created_at, job.id), reverse=True)[:limit]

    async def get(self, id: str) -> Job | None:
        return self._jobs.get(id)

    async def cancel(self, id: str) -> Job | None:
        job = self._jobs.get(id)
        if job is None or job.state not in ("waiting", "running"):
            return None
        if job.state == "running":
            return self._put(job, is_cancelling=True)
        return self._put(job, state="cancelled", finished_at=self.now)

    async def retry(self, id: str) -> Job | None:
        job = self._jobs.get(id)
        if job is None or job.state not in ("failed", "cancelled"):
            return None
        key = self._keys[id]
        if key is not None and any(
            self._is_twin(each, job.kind, key) and each.state == "waiting" for each in self._jobs.values()
        ):
            return None
        return self._put(job, state="waiting", attempts=0, run_at=self.now, finished_at=None, error=None)

    def _is_due(self, job: Job) -> bool:
        if job.run_at > self.now or any(
            twin.id != job.id
            and self._keys[job.id] is not None
            and self._is_twin(twin, job.kind, self._keys[job.id])
            and twin.state == "running"
            and self._leases[twin.id] >= self.now
            for twin in self._jobs.values()
        ):
            return False
        return job.state == "waiting" or (job.state == "running" and self._leases[job.id] < self.now)

    def _is_twin(self, job: Job, kind: str, unique_key: str | None) -> bool:
        return job.kind == kind and self._keys[job.id] == unique_key

    def _held(self, job: Job) -> Job | None:
        """The job as it is now, while this claim of it holds."""
        known = self._jobs.get(job.id)
        return known if known and known.state == "running" and known.started_at == job.started_at else None

    def _put(self, job: Job, **changes: Any) -> Job:
        changed = self._jobs[job.id] = dataclasses.replace(job, **changes)
        return changed
