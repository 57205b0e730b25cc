"""The queue of jobs in Postgres does what the fake one does, and shares jobs among workers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from appliance.config import Settings
from appliance.storage.postgres.jobs import Jobs
from appliance.storage.postgres.migrate import apply_migrations, exclusive_connection
from appliance.storage.postgres.pool import Postgres
from tests.fakes.jobs_contract import LEASE_S, JobsContract


class InPostgres:
    """Lets time pass by moving all stored times into the past."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        self.jobs = Jobs(postgres)

    async def pass_time(self, seconds: float) -> None:
        await self._postgres.execute(
            """
            UPDATE jobs SET
                run_at = run_at - %(s)s * interval '1 second',
                leased_until = leased_until - %(s)s * interval '1 second',
                created_at = created_at - %(s)s * interval '1 second'
            """,
            {"s": seconds},
        )


@pytest.fixture
async def queue(stores: Settings) -> AsyncIterator[InPostgres]:
    async with exclusive_connection(stores.postgres) as connection:
        await apply_migrations(connection)
    postgres = Postgres(stores.postgres)
    await postgres.open()
    await postgres.execute("DELETE FROM jobs")
    yield InPostgres(postgres)
    await postgres.execute("DELETE FROM jobs")
    await postgres.close()


class TestJobs(JobsContract):
    pass


async def test_many_workers_share_jobs_and_none_is_run_twice(queue: InPostgres) -> None:
    ids = [await queue.jobs.enqueue("a") for _ in range(40)]

    async def worker() -> list[str]:
        mine: list[str] = []
        while (job := await queue.jobs.claim(["a"], LEASE_S)) is not None:
            mine.append(job.id)
            await queue.jobs.finish(job, "done")
        return mine

    done = await asyncio.gather(*(worker() for _ in range(6)))
    assert sorted(id for mine in done for id in mine) == sorted(ids)


async def test_old_records_go_and_failed_ones_stay(queue: InPostgres) -> None:
    for state in ("done", "failed"):
        await queue.jobs.enqueue("a")
        job = await queue.jobs.claim(["a"], LEASE_S)
        assert job is not None
        await queue.jobs.finish(job, "done" if state == "done" else "failed")
    assert await queue.jobs.forget(1) == 0
    assert await queue.jobs.forget(0) == 1
    assert [job.state for job in await queue.jobs.list()] == ["failed"]
