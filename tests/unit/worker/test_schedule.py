"""How background jobs are run, retried, cancelled and handed back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from appliance.errors import InvalidRequest, StoreUnavailable
from appliance.model.jobs import Job
from appliance.worker import schedule
from appliance.worker.schedule import Queue, QueuedJob, RunLater, RunningJob, retry_delay_s
from tests.fakes.jobs import FakeJobs

NO_STORES: Any = None


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that is waited for comes at once."""
    for name in ("POLL_S", "RENEW_EVERY_S"):
        monkeypatch.setattr(schedule, name, 0)


class Worker:
    """A queue of jobs and one kind of them, `a`."""

    def __init__(self, run: Callable[[RunningJob], Awaitable[None]], max_attempts: int = 3) -> None:
        self.jobs = FakeJobs()
        self.queue = Queue(self.jobs, NO_STORES, {"a": QueuedJob("a", run, max_attempts)})

    async def run_one(self) -> Job:
        """Claim the next job, run it, and return what is known of it then."""
        job = await self.jobs.claim(["a"], schedule.LEASE_S)
        assert job is not None
        await self.queue.run(job)
        return await self.look(job.id)

    async def look(self, id: str) -> Job:
        job = await self.jobs.get(id)
        assert job is not None
        return job


async def nothing(running: RunningJob) -> None:
    pass


async def endless(running: RunningJob) -> None:
    await asyncio.Event().wait()


def fails(error: Exception) -> Callable[[RunningJob], Awaitable[None]]:
    async def run(running: RunningJob) -> None:
        raise error

    return run


async def test_a_job_that_returns_is_done() -> None:
    worker = Worker(nothing)
    await worker.jobs.enqueue("a")
    job = await worker.run_one()
    assert (job.state, job.error, job.attempts) == ("done", None, 1)


async def test_it_knows_its_arguments_and_tells_how_far_it_is() -> None:
    async def run(running: RunningJob) -> None:
        await running.report("first", 1, running.job.arguments["n"])
        await running.report("at once after it", 2, 3)
        await running.conclude("at the end", 3, 3)

    worker = Worker(run)
    await worker.jobs.enqueue("a", {"n": 3})
    job = await worker.run_one()
    assert (job.message, job.progress, job.total) == ("at the end", 3, 3)


async def test_reports_are_shown_once_a_second_at_most() -> None:
    async def run(running: RunningJob) -> None:
        for number in range(100):
            await running.report(f"step {number}")

    worker = Worker(run)
    await worker.jobs.enqueue("a")
    assert (await worker.run_one()).message == "step 0"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (StoreUnavailable("ClickHouse is away.", store="ClickHouse"), "ClickHouse is away."),
        (KeyError("x"), "KeyError('x')"),
    ],
)
async def test_a_failure_is_tried_again_later(error: Exception, told: str) -> None:
    worker = Worker(fails(error))
    await worker.jobs.enqueue("a")
    job = await worker.run_one()
    assert (job.state, job.error, job.attempts) == ("waiting", told, 1)
    assert (job.run_at - worker.jobs.now).total_seconds() == retry_delay_s(1)
    worker.jobs.pass_time(retry_delay_s(1))
    job = await worker.run_one()
    assert (job.attempts, (job.run_at - worker.jobs.now).total_seconds()) == (2, retry_delay_s(2))


def test_waits_grow_up_to_ten_minutes() -> None:
    assert [retry_delay_s(attempt) for attempt in (1, 2, 3, 4)] == [2, 4, 8, 16]
    assert retry_delay_s(50) == 600


async def test_after_the_last_attempt_it_has_failed() -> None:
    worker = Worker(fails(InvalidRequest("No.")), max_attempts=2)
    await worker.jobs.enqueue("a")
    await worker.run_one()
    worker.jobs.pass_time(1000)
    job = await worker.run_one()
    assert (job.state, job.error) == ("failed", "No.")
    worker.jobs.pass_time(1e6)
    assert await worker.jobs.claim(["a"], 1) is None


async def test_one_that_cannot_go_on_now_keeps_its_attempts() -> None:
    worker = Worker(fails(RunLater("The queue is long.", 10)))
    await worker.jobs.enqueue("a")
    for _ in range(5):
        job = await worker.run_one()
        assert (job.state, job.attempts, job.error) == ("waiting", 0, "The queue is long.")
        worker.jobs.pass_time(10)


async def test_one_that_ends_the_worker_each_time_has_failed_in_the_end() -> None:
    ran = []

    async def run(running: RunningJob) -> None:
        ran.append(running.job.attempts)

    worker = Worker(run, max_attempts=2)
    id = await worker.jobs.enqueue("a")
    for _ in range(2):  # two workers that were killed
        await worker.jobs.claim(["a"], 1)
        worker.jobs.pass_time(2)
    job = await worker.run_one()
    assert (job.id, job.state, ran) == (id, "failed", [])
    assert job.error is not None and "ended" in job.error


async def test_cancelling_ends_a_running_job() -> None:
    worker = Worker(endless)
    id = await worker.jobs.enqueue("a")
    running = asyncio.create_task(worker.run_one())
    while (await worker.look(id)).state != "running":
        await asyncio.sleep(0)
    await worker.jobs.cancel(id)
    assert (await running).state == "cancelled"


async def test_a_job_that_another_worker_took_over_is_ended_here_and_stays_theirs() -> None:
    worker = Worker(endless)
    id = await worker.jobs.enqueue("a")
    running = asyncio.create_task(worker.run_one())
    while (await worker.look(id)).state != "running":
        await asyncio.sleep(0)
    worker.jobs.pass_time(schedule.LEASE_S + 1)
    theirs = await worker.jobs.claim(["a"], 1000)
    assert theirs is not None
    job = await running
    assert (job.state, job.started_at) == ("running", theirs.started_at)


async def test_a_queue_that_is_away_for_a_moment_ends_no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    renewals: list[str] = []

    async def run(running: RunningJob) -> None:
        while len(renewals) < 5:
            await asyncio.sleep(0)

    worker = Worker(run)
    await worker.jobs.enqueue("a")

    async def renew(job: Job, lease_s: float) -> bool:
        renewals.append(job.id)
        raise StoreUnavailable("Postgres is away.", store="Postgres")

    monkeypatch.setattr(worker.jobs, "renew", renew)
    assert (await worker.run_one()).state == "done"


async def test_a_result_that_cannot_be_stored_has_it_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker(nothing)
    await worker.jobs.enqueue("a")

    async def finish(*_: Any) -> None:
        raise StoreUnavailable("Postgres is away.", store="Postgres")

    with monkeypatch.context() as patched:
        patched.setattr(worker.jobs, "finish", finish)
        assert (await worker.run_one()).state == "running"
    worker.jobs.pass_time(schedule.LEASE_S + 1)
    job = await worker.run_one()
    assert (job.state, job.attempts) == ("done", 2)


async def test_a_worker_that_stops_hands_its_jobs_back_at_once() -> None:
    worker = Worker(endless)
    id = await worker.jobs.enqueue("a")
    working = asyncio.create_task(worker.queue.work())
    while (await worker.look(id)).state != "running":
        await asyncio.sleep(0)
    working.cancel()
    await asyncio.wait({working})
    job = await worker.look(id)
    assert (job.state, job.attempts) == ("waiting", 0)


async def test_a_few_jobs_run_at_a_time() -> None:
    begun: list[str] = []
    go_on = asyncio.Event()

    async def run(running: RunningJob) -> None:
        begun.append(running.job.id)
        await go_on.wait()

    worker = Worker(run)
    for _ in range(schedule.MAX_RUNNING + 2):
        await worker.jobs.enqueue("a")
    working = asyncio.create_task(worker.queue.work())
    for _ in range(100):
        await asyncio.sleep(0)
    assert len(begun) == schedule.MAX_RUNNING
    go_on.set()
    while len(await worker.jobs.list(["done"])) < schedule.MAX_RUNNING + 2:
        await asyncio.sleep(0)
    working.cancel()


async def test_a_queue_that_is_away_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker(nothing)
    await worker.jobs.enqueue("a")
    claim, failures = worker.jobs.claim, iter(range(3))

    async def unreliable(kinds: Any, lease_s: float) -> Job | None:
        if next(failures, None) is not None:
            raise StoreUnavailable("Postgres is away.", store="Postgres")
        return await claim(kinds, lease_s)

    monkeypatch.setattr(worker.jobs, "claim", unreliable)
    working = asyncio.create_task(worker.queue.work())
    while not await worker.jobs.list(["done"]):
        await asyncio.sleep(0)
    working.cancel()


async def test_a_job_that_could_not_be_renewed_is_left_to_its_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker(endless)
    await worker.jobs.enqueue("a")
    job = await worker.jobs.claim(["a"], 30)
    assert job is not None
    monkeypatch.setattr(schedule, "LEASE_S", 0)  # as if nobody had answered for all of it
    await worker.queue.run(job)
    assert (await worker.look(job.id)).state == "running"


async def test_a_mistake_in_looking_for_jobs_does_not_end_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker(nothing)
    await worker.jobs.enqueue("a")
    claim, mistakes = worker.jobs.claim, iter([KeyError("x")])

    async def mistaken(kinds: Any, lease_s: float) -> Job | None:
        for mistake in mistakes:
            raise mistake
        return await claim(kinds, lease_s)

    monkeypatch.setattr(worker.jobs, "claim", mistaken)
    working = asyncio.create_task(worker.queue.work())
    while not await worker.jobs.list(["done"]):
        await asyncio.sleep(0)
    working.cancel()
