"""Background jobs beside ingestion: periodic ones that repeat, and queued ones that are durable.

A queued job is a row in Postgres. A worker claims it for a while and renews that claim as long as it works; when the
worker is killed, the claim ends and another one starts the job again. So every job runs at least once and must be
idempotent. A job that fails is tried again later and later, and after its last attempt waits for `jobs retry`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from appliance.cancelling import cancel
from appliance.config import Settings
from appliance.errors import ApplianceError
from appliance.model.jobs import Job, JobState
from appliance.storage.blobs.contract import BlobStore
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.postgres.jobs import Jobs
from appliance.storage.postgres.pool import Postgres
from appliance.storage.redis.client import Redis
from appliance.storage.redis.ingest_stream import IngestStream
from appliance.worker.retry import AWAY

log = logging.getLogger(__name__)

POLL_S: Final = 5.0
"""Seconds between queries for due jobs; one costs an idle worker 3 ms."""
LEASE_S: Final = 30.0
"""Seconds after which another worker takes over a job whose worker has died; six missed renewals."""
RENEW_EVERY_S: Final = 5.0
"""Seconds between renewals of a claim; a cancelled job ends within this time."""
MAX_RUNNING: Final = 2
"""Queued jobs that one worker runs at a time."""
FIRST_RETRY_S: Final = 2.0
LONGEST_RETRY_S: Final = 600.0
_REPORT_EVERY_S: Final = 1.0
_HAND_BACK_S: Final = 1.0
"""A stopping worker waits this long to hand a job back; after that the job waits for its lease to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """The stores and settings that jobs use."""

    settings: Settings
    clickhouse: ClickHouse
    postgres: Postgres
    redis: Redis
    stream: IngestStream
    blobs: BlobStore


class PeriodicJob(Protocol):
    """A job that repeats while a worker runs."""

    name: str

    async def run(self) -> float:
        """Run once and return the seconds until the next run; takes a lease where one worker suffices.

        Errors are logged, and the job is run again after a minute.
        """


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A kind of jobs in the queue."""

    kind: str
    run: Callable[[RunningJob], Awaitable[None]]
    max_attempts: int = 8


class RunLater(Exception):
    """Raised by a job that cannot continue yet, which is no failed attempt: it is started again after `seconds`."""

    def __init__(self, reason: str, seconds: float) -> None:
        super().__init__(reason)
        self.reason = reason
        self.seconds = seconds


class JobQueue(Protocol):
    """The methods of `storage.postgres.jobs.Jobs` that the schedule calls."""

    async def claim(self, kinds: Sequence[str], lease_s: float) -> Job | None: ...
    async def renew(self, job: Job, lease_s: float) -> bool: ...
    async def report(self, job: Job, progress: int, total: int | None, message: str) -> None: ...
    async def finish(self, job: Job, state: JobState, error: str | None = None) -> None: ...
    async def run_later(self, job: Job, delay_s: float, error: str | None = None, *, counts: bool = True) -> None: ...


@dataclass(slots=True)
class RunningJob:
    """A job that is running."""

    job: Job
    stores: Stores
    queue: JobQueue
    _reported_at: float = float("-inf")

    async def report(self, message: str, progress: int = 0, total: int | None = None) -> None:
        """Report progress, at most once a second; skipped while Postgres is away."""
        if (now := time.monotonic()) - self._reported_at >= _REPORT_EVERY_S:
            self._reported_at = now
            await self.conclude(message, progress, total)

    async def conclude(self, message: str, progress: int = 0, total: int | None = None) -> None:
        """Report the result, also within a second of the last report."""
        with contextlib.suppress(*AWAY):
            await self.queue.report(self.job, progress, total, message)


@contextlib.asynccontextmanager
async def running_jobs(
    stores: Stores, periodic: Sequence[PeriodicJob], queued: Mapping[str, QueuedJob]
) -> AsyncIterator[None]:
    """Run both kinds of jobs inside the block; interrupted ones run again later, here or in another worker."""
    queue = Queue(Jobs(stores.postgres), stores, queued)
    tasks = [asyncio.create_task(_repeat(job)) for job in periodic]
    tasks.append(asyncio.create_task(queue.work()))
    try:
        yield
    finally:
        await cancel(*tasks)


async def _repeat(job: PeriodicJob) -> None:
    while True:
        try:
            pause_s = await job.run()
        except ApplianceError as error:
            log.warning("%s is tried again in a minute: %s", job.name, error)
            pause_s = 60.0
        except Exception:  # the outermost guard: a bug in one run must not end the job for good
            log.exception("%s is tried again in a minute", job.name)
            pause_s = 60.0
        await asyncio.sleep(pause_s)


class Queue:
    """Claims queued jobs and runs them, a few at a time."""

    def __init__(self, jobs: JobQueue, stores: Stores, kinds: Mapping[str, QueuedJob]) -> None:
        self._jobs = jobs
        self._stores = stores
        self._kinds = kinds
        self._tasks: set[asyncio.Task[None]] = set()

    async def work(self) -> None:
        """Run due jobs until cancelled; running ones are then handed back."""
        try:
            while True:
                job = None
                if len(self._tasks) < MAX_RUNNING:
                    job = await self._claim()
                if job is not None:
                    self._tasks.add(task := asyncio.create_task(self.run(job)))
                    task.add_done_callback(self._tasks.discard)
                else:
                    await asyncio.sleep(POLL_S)
        finally:
            await cancel(*self._tasks)

    async def _claim(self) -> Job | None:
        try:
            return await self._jobs.claim(tuple(self._kinds), LEASE_S)
        except AWAY:
            return None
        except Exception:  # the outermost guard: without this loop no job runs until the worker is started again
            log.exception("Cannot look for jobs")
            return None

    async def run(self, job: Job) -> None:
        """Run a claimed job and record its outcome: done, cancelled, to be run later, or failed."""
        kind = self._kinds[job.kind]
        # A job that crashes its worker never reaches `_record_outcome`, so attempts are counted when it is claimed.
        if job.attempts > kind.max_attempts:
            await self._finish(job, "failed", job.error or "The worker ended each time while it ran this job.")
            return
        work = asyncio.ensure_future(kind.run(RunningJob(job, self._stores, self._jobs)))
        keep = asyncio.ensure_future(self._keep(job))
        try:
            await asyncio.wait({work, keep}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                await cancel(work)
                # An expired claim may be another worker's by now: nothing is recorded for it.
                if keep.result() == "cancelled":
                    await self._finish(job, "cancelled")
                return
            await self._record_outcome(job, kind, work.exception())
        except asyncio.CancelledError:
            await cancel(work)
            with contextlib.suppress(TimeoutError, *AWAY):  # if this fails, the lease ends by itself
                async with asyncio.timeout(_HAND_BACK_S):
                    await self._jobs.run_later(job, 0, counts=False)
            raise
        finally:
            await cancel(work, keep)

    async def _keep(self, job: Job) -> Literal["cancelled", "expired"]:
        """Renew the claim until the job is cancelled, or until Postgres was away so long that the claim has ended."""
        valid_until = time.monotonic() + LEASE_S
        while time.monotonic() < valid_until:
            await asyncio.sleep(RENEW_EVERY_S)
            with contextlib.suppress(*AWAY):
                if not await self._jobs.renew(job, LEASE_S):
                    return "cancelled"
                valid_until = time.monotonic() + LEASE_S
        return "expired"

    async def _record_outcome(self, job: Job, kind: QueuedJob, error: BaseException | None) -> None:
        if error is None:
            await self._finish(job, "done")
        elif isinstance(error, RunLater):
            await self._run_later(job, error.seconds, error.reason, counts=False)
        else:
            # The outermost guard: a bug in one job must not end the worker.
            text = error.message if isinstance(error, ApplianceError) else repr(error)
            log.warning("The job %s (%s) failed at attempt %d: %s", job.id, job.kind, job.attempts, text)
            if job.attempts >= kind.max_attempts:
                await self._finish(job, "failed", text)
            else:
                await self._run_later(job, retry_delay_s(job.attempts), text)

    async def _finish(self, job: Job, state: JobState, error: str | None = None) -> None:
        with contextlib.suppress(*AWAY):  # it is run again when its lease has ended
            await self._jobs.finish(job, state, error)

    async def _run_later(self, job: Job, delay_s: float, error: str, *, counts: bool = True) -> None:
        with contextlib.suppress(*AWAY):
            await self._jobs.run_later(job, delay_s, error, counts=counts)


def retry_delay_s(attempts: int) -> float:
    """Seconds to wait after an attempt that failed: two, then twice as long each time, up to ten minutes."""
    return min(FIRST_RETRY_S * 2.0 ** (attempts - 1), LONGEST_RETRY_S)
