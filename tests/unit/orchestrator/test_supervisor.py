"""The supervisor's loop, with fake services and a fake clock."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest

from appliance.errors import NotFound, RuntimeUnavailable, StartFailed
from appliance.orchestrator.supervisor import (
    CHECK_RUNNING_S,
    HANGS_AFTER_S,
    LONGEST_BACKOFF_S,
    STEADY_AFTER_S,
    RestartRequested,
    StartRequested,
    StopRequested,
    Supervisor,
    backoff_seconds,
)
from tests.unit.orchestrator.fakes import FakeClock, FakeHandle, FakeService


@contextlib.asynccontextmanager
async def running(*services: FakeService) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(clock=FakeClock())
    for service in services:
        supervisor.add(service)
    loop = asyncio.create_task(supervisor.run())
    try:
        yield supervisor
    finally:
        loop.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await loop


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0)


async def test_a_started_service_becomes_healthy_and_stops() -> None:
    service = FakeService()
    async with running(service) as supervisor:
        supervisor.request(StartRequested("redis"))
        await supervisor.wait_healthy("redis", 5)
        entry = supervisor.services["redis"]
        assert (entry.state, entry.healthy, entry.reason) == ("running", True, None)
        await supervisor.stop(["redis"])
        assert (entry.state, entry.healthy, service.handles[0].stops) == ("stopped", False, 1)


async def test_a_killed_service_starts_again_with_growing_pauses() -> None:
    service = FakeService(on_launch=lambda handle: handle.end("was ended by SIGKILL"))
    async with running(service) as supervisor:
        supervisor.request(StartRequested("redis"))
        await until(lambda: len(service.handles) == 4)
        clock = supervisor.clock
        assert isinstance(clock, FakeClock)
        pauses = [seconds for seconds in clock.slept if seconds in (0.5, 1.0, 2.0, 4.0)]
        assert pauses[:3] == [0.5, 1.0, 2.0]
        service.on_launch = lambda handle: None
        await supervisor.wait_healthy("redis", 5) if supervisor.services["redis"].failures < 2 else None
        await until(lambda: supervisor.services["redis"].healthy)


async def test_a_service_that_ran_long_begins_with_the_first_pause_again() -> None:
    service = FakeService()
    async with running(service) as supervisor:
        supervisor.request(StartRequested("redis"))
        await supervisor.wait_healthy("redis", 5)
        entry, clock = supervisor.services["redis"], supervisor.clock
        assert isinstance(clock, FakeClock)
        entry.failures = 7
        clock.time += STEADY_AFTER_S
        service.handles[0].end("exited with code 1")
        await until(lambda: len(service.handles) == 2)
        assert entry.failures == 1


async def test_two_failed_starts_end_the_wait() -> None:
    service = FakeService(on_launch=lambda handle: handle.end("exited with code 1"))
    async with running(service) as supervisor:
        supervisor.request(StartRequested("redis"))
        with pytest.raises(StartFailed, match="exited with code 1"):
            await supervisor.wait_healthy("redis", 5)


async def test_a_refused_launch_ends_the_wait_with_its_own_error() -> None:
    service = FakeService(refusal=RuntimeUnavailable("No binary."))
    async with running(service) as supervisor:
        supervisor.request(StartRequested("redis"))
        with pytest.raises(RuntimeUnavailable, match="No binary"):
            await supervisor.wait_healthy("redis", 5)


async def test_an_unhealthy_service_says_why_when_time_is_over() -> None:
    service = FakeService(problem="Nothing answers.")
    async with running(service) as supervisor:
        supervisor.request(StartRequested("redis"))
        with pytest.raises(StartFailed, match="Nothing answers"):
            await supervisor.wait_healthy("redis", 0.05)


async def test_a_restart_makes_a_new_unit() -> None:
    service = FakeService()
    async with running(service) as supervisor:
        supervisor.request(StartRequested("redis"))
        await supervisor.wait_healthy("redis", 5)
        supervisor.request(RestartRequested("redis"))
        await until(lambda: len(service.handles) == 2)
        await supervisor.wait_healthy("redis", 5)
        assert supervisor.services["redis"].failures == 0


async def test_a_service_that_hangs_is_started_anew() -> None:
    service = FakeService()
    async with running(service) as supervisor:
        supervisor.request(StartRequested("redis"))
        await supervisor.wait_healthy("redis", 5)
        service.is_silent = True
        await until(lambda: len(service.handles) == 2)
        assert service.handles[0].stops == 1
        service.is_silent = False
        await supervisor.wait_healthy("redis", 5)
        clock = supervisor.clock
        assert isinstance(clock, FakeClock) and clock.time >= 1000 + HANGS_AFTER_S


async def test_a_service_that_answers_with_a_problem_is_left_alone() -> None:
    service = FakeService()
    async with running(service) as supervisor:
        supervisor.request(StartRequested("redis"))
        await supervisor.wait_healthy("redis", 5)
        service.problem = "The disk is full."
        clock = supervisor.clock
        assert isinstance(clock, FakeClock)
        await until(lambda: clock.time > 1000 + 3 * HANGS_AFTER_S)
        assert (len(service.handles), supervisor.services["redis"].reason) == (1, "The disk is full.")


async def test_a_service_that_hangs_can_still_be_stopped() -> None:
    service = FakeService()
    async with running(service) as supervisor:
        supervisor.request(StartRequested("redis"))
        await supervisor.wait_healthy("redis", 5)
        clock = supervisor.clock
        assert isinstance(clock, FakeClock)

        async def is_told_to_stop_meanwhile() -> None:
            if clock.time >= began + HANGS_AFTER_S - CHECK_RUNNING_S:
                service.on_check = None
                stopping.append(asyncio.create_task(supervisor.stop(["redis"])))
                await asyncio.sleep(0)
                clock.time += CHECK_RUNNING_S

        stopping: list[asyncio.Task[None]] = []
        began = clock.time
        service.is_silent, service.on_check = True, is_told_to_stop_meanwhile
        await until(lambda: bool(stopping))
        await asyncio.wait_for(stopping[0], 5)
        await until(lambda: supervisor.services["redis"].state == "stopped")
        assert len(service.handles) == 1


async def test_a_pause_of_the_supervisor_itself_is_no_silence() -> None:
    service = FakeService()
    async with running(service) as supervisor:
        supervisor.request(StartRequested("redis"))
        await supervisor.wait_healthy("redis", 5)
        clock = supervisor.clock
        assert isinstance(clock, FakeClock)
        checks = 0

        async def takes_long_once() -> None:
            nonlocal checks
            checks += 1
            service.is_silent = checks == 2
            clock.time += 10 * HANGS_AFTER_S if service.is_silent else 0

        service.on_check = takes_long_once
        await until(lambda: checks == 5)
        assert len(service.handles) == 1


@pytest.mark.parametrize("strange", [ValueError("half an answer"), RuntimeUnavailable("The engine is away.")])
async def test_a_check_that_goes_wrong_is_told_and_repeated(strange: Exception) -> None:
    service = FakeService()
    async with running(service) as supervisor:
        supervisor.request(StartRequested("redis"))
        await supervisor.wait_healthy("redis", 5)

        async def goes_wrong() -> None:
            raise strange

        service.on_check = goes_wrong
        entry = supervisor.services["redis"]
        await until(lambda: str(strange) in str(entry.reason) or repr(strange) in str(entry.reason))
        assert (entry.healthy, len(service.handles)) == (False, 1)
        service.on_check = None
        await until(lambda: entry.healthy)


async def test_a_launch_that_goes_wrong_ends_the_wait() -> None:
    def goes_wrong(_unit: FakeHandle) -> None:
        raise OSError("no more processes")

    async with running(FakeService(on_launch=goes_wrong)) as supervisor:
        supervisor.request(StartRequested("redis"))
        with pytest.raises(StartFailed, match="no more processes"):
            await supervisor.wait_healthy("redis", 5)


async def test_a_stop_during_the_pause_ends_the_attempts() -> None:
    service = FakeService(refusal=RuntimeUnavailable("No binary."))
    async with running(service) as supervisor:
        supervisor.request(StartRequested("redis"))
        await until(lambda: supervisor.services["redis"].state == "failed")
        await supervisor.stop(["redis"])
        assert supervisor.services["redis"].state == "stopped"


async def test_an_external_service_is_called_so() -> None:
    async with running(FakeService(managed=False)) as supervisor:
        supervisor.request(StartRequested("redis"))
        await supervisor.wait_healthy("redis", 5)
        assert supervisor.services["redis"].state == "external"


async def test_an_unknown_service_is_refused() -> None:
    async with running(FakeService()) as supervisor:
        with pytest.raises(NotFound, match="Known: redis"):
            supervisor.request(StopRequested("nosuch"))


def test_pauses_double_up_to_a_bound() -> None:
    assert [backoff_seconds(failures) for failures in (1, 2, 3)] == [0.5, 1.0, 2.0]
    assert backoff_seconds(50) == LONGEST_BACKOFF_S
