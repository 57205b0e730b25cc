"""What every queue of background jobs does; run on the real one and on the fake."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from appliance.model.jobs import Job


class QueueUnderTest(Protocol):
    """A queue with nothing in it, and a way to let time pass."""

    jobs: Any

    async def pass_time(self, seconds: float) -> None: ...


LEASE_S = 30.0


class JobsContract:
    """Subclasses provide the fixture `queue`."""

    async def test_a_job_is_claimed_once(self, queue: QueueUnderTest) -> None:
        id = await queue.jobs.enqueue("a", {"n": 1}, message="soon")
        job = await self.claim(queue)
        assert (job.id, job.state, job.attempts, job.arguments, job.message) == (id, "running", 1, {"n": 1}, "soon")
        assert await queue.jobs.claim(["a"], LEASE_S) is None

    async def test_only_the_kinds_that_a_worker_knows(self, queue: QueueUnderTest) -> None:
        await queue.jobs.enqueue("b")
        assert await queue.jobs.claim(["a"], LEASE_S) is None

    async def test_the_one_that_is_due_longest_comes_first(self, queue: QueueUnderTest) -> None:
        later = await queue.jobs.enqueue("a", delay_s=20)
        sooner = await queue.jobs.enqueue("a", delay_s=10)
        assert await queue.jobs.claim(["a"], LEASE_S) is None
        await queue.pass_time(60)
        assert [(await self.claim(queue)).id, (await self.claim(queue)).id] == [sooner, later]

    async def test_with_a_key_only_one_waits(self, queue: QueueUnderTest) -> None:
        first = await queue.jobs.enqueue("a", unique_key="k", delay_s=100)
        assert await queue.jobs.enqueue("a", unique_key="k", delay_s=200) == first
        assert await queue.jobs.claim(["a"], LEASE_S) is None
        assert await queue.jobs.enqueue("a", unique_key="k") == first
        assert (await self.claim(queue)).id == first
        assert await queue.jobs.enqueue("a", unique_key="other") != first

    async def test_with_a_key_only_one_runs(self, queue: QueueUnderTest) -> None:
        await queue.jobs.enqueue("a", unique_key="k")
        running = await self.claim(queue)
        second = await queue.jobs.enqueue("a", unique_key="k")
        assert second != running.id
        assert await queue.jobs.claim(["a"], LEASE_S) is None
        await queue.jobs.finish(running, "done")
        assert (await self.claim(queue)).id == second

    async def test_a_lease_that_ended_lets_another_worker_begin_again(self, queue: QueueUnderTest) -> None:
        await queue.jobs.enqueue("a")
        lost = await self.claim(queue)
        await queue.pass_time(LEASE_S / 2)
        assert await queue.jobs.renew(lost, LEASE_S)
        await queue.pass_time(LEASE_S + 1)
        again = await self.claim(queue)
        assert (again.id, again.attempts) == (lost.id, 2)
        assert not await queue.jobs.renew(lost, LEASE_S)
        await queue.jobs.report(lost, 9, 9, "of the past")
        await queue.jobs.finish(lost, "failed", "of the past")
        await queue.jobs.run_later(lost, 0)
        job = await self.get(queue, lost.id)
        assert (job.state, job.message, job.error) == ("running", "", None)

    async def test_an_attempt_that_does_not_count_leaves_their_number(self, queue: QueueUnderTest) -> None:
        await queue.jobs.enqueue("a")
        first = await self.claim(queue)
        await queue.jobs.run_later(first, 5, "busy", counts=False)
        job = await self.get(queue, first.id)
        assert (job.state, job.attempts, job.error) == ("waiting", 0, "busy")
        assert await queue.jobs.claim(["a"], LEASE_S) is None
        await queue.pass_time(6)
        second = await self.claim(queue)
        assert second.attempts == 1
        await queue.jobs.finish(first, "done")  # the first claim is over
        assert (await self.get(queue, first.id)).state == "running"

    async def test_one_that_would_wait_beside_its_like_is_done(self, queue: QueueUnderTest) -> None:
        await queue.jobs.enqueue("a", unique_key="k")
        running = await self.claim(queue)
        await queue.jobs.enqueue("a", unique_key="k")
        await queue.jobs.run_later(running, 0, "failed")
        assert (await self.get(queue, running.id)).state == "done"

    async def test_progress_shows(self, queue: QueueUnderTest) -> None:
        await queue.jobs.enqueue("a")
        running = await self.claim(queue)
        await queue.jobs.report(running, 3, 10, "three of ten")
        job = await self.get(queue, running.id)
        assert (job.progress, job.total, job.message) == (3, 10, "three of ten")

    async def test_cancelling(self, queue: QueueUnderTest) -> None:
        waiting = await queue.jobs.enqueue("a", delay_s=5)
        assert (await queue.jobs.cancel(waiting)).state == "cancelled"
        assert await queue.jobs.cancel(waiting) is None
        await queue.jobs.enqueue("a")
        running = await self.claim(queue)
        cancelled = await queue.jobs.cancel(running.id)
        assert (cancelled.state, cancelled.is_cancelling) == ("running", True)
        assert not await queue.jobs.renew(running, LEASE_S)
        await queue.jobs.run_later(running, 0, "failed meanwhile")
        assert (await self.get(queue, running.id)).state == "cancelled"

    async def test_retrying(self, queue: QueueUnderTest) -> None:
        id = await queue.jobs.enqueue("a")
        assert await queue.jobs.retry(id) is None
        await queue.jobs.finish(await self.claim(queue), "failed", "no luck")
        assert (await self.get(queue, id)).error == "no luck"
        again = await queue.jobs.retry(id)
        assert (again.state, again.attempts, again.error, again.finished_at) == ("waiting", 0, None, None)
        assert (await self.claim(queue)).id == id

    async def test_no_retry_beside_one_that_waits(self, queue: QueueUnderTest) -> None:
        await queue.jobs.enqueue("a", unique_key="k")
        failed = await self.claim(queue)
        await queue.jobs.finish(failed, "failed", "no luck")
        await queue.jobs.enqueue("a", unique_key="k")
        assert await queue.jobs.retry(failed.id) is None

    async def test_lists_newest_first(self, queue: QueueUnderTest) -> None:
        first = await queue.jobs.enqueue("a")
        await queue.pass_time(1)
        second = await queue.jobs.enqueue("a", delay_s=100)
        assert [job.id for job in await queue.jobs.list()] == [second, first]
        await self.claim(queue)
        assert [job.id for job in await queue.jobs.list(["running"])] == [first]
        assert [job.id for job in await queue.jobs.list(None, 1)] == [second]

    async def test_unknown_ids(self, queue: QueueUnderTest) -> None:
        asked: list[Callable[[str], Awaitable[Job | None]]] = [queue.jobs.get, queue.jobs.cancel, queue.jobs.retry]
        assert [await ask("nothing") for ask in asked] == [None] * 3

    async def claim(self, queue: QueueUnderTest) -> Job:
        job: Job | None = await queue.jobs.claim(["a"], LEASE_S)
        assert job is not None
        return job

    async def get(self, queue: QueueUnderTest, id: str) -> Job:
        job: Job | None = await queue.jobs.get(id)
        assert job is not None
        return job
