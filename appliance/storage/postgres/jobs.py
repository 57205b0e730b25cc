"""The queue of background jobs: a table that several workers share, and that survives their crashes."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from psycopg.errors import UniqueViolation
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from appliance.model.jobs import Job, JobState
from appliance.storage.postgres.pool import Postgres
from appliance.storage.sql_files import load_blocks

_SQL: Final = load_blocks(__package__, "jobs")
_FIELDS: Final = tuple(Job.__dataclass_fields__)


class Jobs:
    """Enqueue, claim, finish and look at jobs. Every method raises StoreUnavailable.

    A worker that claimed a job owns it until its lease ends: what it reports after that has no effect.
    """

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def enqueue(
        self,
        kind: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        unique_key: str | None = None,
        delay_s: float = 0,
        message: str = "",
    ) -> str:
        """Add a job and return its id.

        When a job of this kind and `unique_key` waits already, returns that one, moved to this start if earlier.
        """
        values: dict[str, Any] = {"kind": kind, "unique_key": unique_key, "delay_s": delay_s, "message": message}
        values |= {"id": uuid.uuid4().hex, "arguments": Jsonb(arguments or {})}
        row = await self._postgres.row(_SQL["enqueue"], values)
        assert row is not None
        return str(row["id"])

    async def claim(self, kinds: Sequence[str], lease_s: float) -> Job | None:
        """The job of these kinds that is due longest, now running; None when none is due."""
        row = await self._postgres.row(_SQL["claim"], {"kinds": list(kinds), "lease_s": lease_s})
        return None if row is None else _job(row)

    async def renew(self, job: Job, lease_s: float) -> bool:
        """Renew the claim for `lease_s` seconds; False when the job was cancelled, or another worker has it by now."""
        row = await self._postgres.row(_SQL["renew"], {**_claim(job), "lease_s": lease_s})
        return row is not None and not row["is_cancelling"]

    async def report(self, job: Job, progress: int, total: int | None, message: str) -> None:
        """Show how far a running job is."""
        values = {"progress": progress, "total": total, "message": message}
        await self._postgres.execute(_SQL["report"], {**_claim(job), **values})

    async def finish(self, job: Job, state: JobState, error: str | None = None) -> None:
        """End a running job for good: done, failed or cancelled."""
        await self._postgres.execute(_SQL["finish"], {**_claim(job), "state": state, "error": error})

    async def run_later(self, job: Job, delay_s: float, error: str | None = None, *, counts: bool = True) -> None:
        """Let a running job wait for its next attempt; this one `counts` towards its attempts or not."""
        values = {**_claim(job), "delay_s": delay_s, "error": error, "uncounted": 0 if counts else 1}
        try:
            await self._postgres.execute(_SQL["run_later"], values)
        except UniqueViolation:  # another with its key was enqueued meanwhile; the second try sees it
            await self._postgres.execute(_SQL["run_later"], values)

    async def list(self, states: Sequence[JobState] | None = None, limit: int = 50) -> list[Job]:
        """The newest jobs, all of them or those in one of `states`."""
        values = {"states": None if states is None else list(states), "limit": limit}
        return [_job(row) for row in await self._postgres.rows(_SQL["list"], values)]

    async def get(self, id: str) -> Job | None:
        """The job with this id; None when there is none."""
        row = await self._postgres.row(_SQL["get"], {"id": id})
        return None if row is None else _job(row)

    async def cancel(self, id: str) -> Job | None:
        """Cancel a waiting or running job; None when it has ended or does not exist."""
        row = await self._postgres.row(_SQL["cancel"], {"id": id})
        return None if row is None else _job(row)

    async def retry(self, id: str) -> Job | None:
        """Let a failed or cancelled job wait again; None when there is none, or one with its key waits already."""
        row = await self._postgres.row(_SQL["retry"], {"id": id})
        return None if row is None else _job(row)

    async def forget(self, days: int) -> int:
        """Delete the records of jobs that were done or cancelled more than `days` ago; returns how many."""
        return await self._postgres.execute(_SQL["forget"], {"days": days})


def _claim(job: Job) -> dict[str, Any]:
    """The key of one claim: a later claim of the same job has another start."""
    return {"id": job.id, "started_at": job.started_at}


def _job(row: DictRow) -> Job:
    return Job(**{name: row[name] for name in _FIELDS})
