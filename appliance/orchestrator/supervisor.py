"""Keeps services running: one loop over an event queue; slow work runs in tasks that post an event when done."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from appliance.errors import ApplianceError, NotFound, ServiceSilent, StartFailed
from appliance.model.services import ServiceState
from appliance.orchestrator.runtimes.contract import Service, ServiceHandle

log = logging.getLogger(__name__)

CHECK_STARTING_S = 0.05
CHECK_RUNNING_S = 5.0
FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 30.0
STEADY_AFTER_S = 60.0
"""A service that ran this long before it ended is restarted with the first back-off."""
HANGS_AFTER_S = 60.0
"""A running service that has not answered for this long is restarted: killing it loses nothing."""
HANGS_AFTER_CHECKS = 5
"""It must also have left this many checks unanswered: when the machine pauses, every service seems silent once."""


class Clock(Protocol):
    """Time, replaceable in tests."""

    def now(self) -> float:
        """Monotonic seconds."""

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The real time."""

    def now(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass(slots=True)
class SupervisedService:
    """A service and its state."""

    service: Service
    state: ServiceState = "stopped"
    wanted: bool = False
    handle: ServiceHandle | None = None
    started_at: float | None = None
    healthy: bool = False
    reason: str | None = None
    failures: int = 0
    error: ApplianceError | None = None
    """Why it could not be launched; ends the wait for its first start."""


@dataclass(frozen=True, slots=True)
class StartRequested:
    """The service shall run."""

    name: str


@dataclass(frozen=True, slots=True)
class StopRequested:
    """The service shall not run."""

    name: str


@dataclass(frozen=True, slots=True)
class RestartRequested:
    """The service shall be stopped and started."""

    name: str


@dataclass(frozen=True, slots=True)
class BackoffPassed:
    """The pause after a failure is over."""

    name: str


@dataclass(frozen=True, slots=True)
class Launched:
    """The service was launched."""

    name: str
    handle: ServiceHandle


@dataclass(frozen=True, slots=True)
class LaunchRefused:
    """The service could not be launched."""

    name: str
    error: ApplianceError


@dataclass(frozen=True, slots=True)
class ServiceEnded:
    """The service ended, by itself or because it was stopped."""

    name: str
    handle: ServiceHandle
    how: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A health check had another result than the one before."""

    name: str
    handle: ServiceHandle
    problem: str | None


@dataclass(frozen=True, slots=True)
class Hung:
    """A running service has not answered for too long."""

    name: str
    handle: ServiceHandle


Event = (
    StartRequested
    | StopRequested
    | RestartRequested
    | BackoffPassed
    | Launched
    | LaunchRefused
    | ServiceEnded
    | Checked
    | Hung
)


@dataclass(slots=True)
class Supervisor:
    """Starts, watches, restarts and stops services. `on_change` is called after every change of what runs."""

    clock: Clock = field(default_factory=SystemClock)
    on_change: Callable[[], None] = lambda: None
    services: dict[str, SupervisedService] = field(default_factory=dict)
    never_restarted: Collection[str] = ()
    """Services that are not restarted when they do not answer, since another service may be the cause."""
    _events: asyncio.Queue[Event] = field(default_factory=asyncio.Queue)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, service: Service) -> None:
        """Registers a service without starting it."""
        self.services[service.name] = SupervisedService(service)

    def request(self, event: Event) -> None:
        """Requests a start, stop or restart; raises NotFound for an unknown service."""
        if event.name not in self.services:
            raise NotFound(f"There is no service {event.name!r}.", hint=f"Known: {', '.join(self.services)}.")
        self._events.put_nowait(event)

    async def run(self) -> None:
        """The loop; runs until cancelled."""
        try:
            while True:
                self.apply(await self._events.get())
                self._changed.set()
                self._changed = asyncio.Event()
        finally:
            for task in self._tasks:
                task.cancel()

    def apply(self, event: Event) -> None:
        """Applies one event to the state, and starts what follows from it."""
        entry = self.services[event.name]
        match event:
            case StartRequested():
                self._start(entry)
            case StopRequested():
                self._stop(entry)
            case RestartRequested():
                self._restart(entry)
            case Hung(handle=handle) if handle is entry.handle and entry.state == "running":
                self._restart(entry)
            case BackoffPassed():
                if entry.wanted and entry.state == "failed":
                    self._launch(entry)
            case Launched(handle=handle):
                self._adopt(entry, handle)
            case LaunchRefused(error=error):
                entry.error = error
                self._fail(entry, str(error))
            case ServiceEnded(handle=handle, how=how) if handle is entry.handle:
                self._end(entry, how)
            case Checked(handle=handle, problem=problem) if handle is entry.handle and entry.state != "stopping":
                entry.healthy, entry.reason = problem is None, problem
                if problem is None:
                    entry.state = "running" if entry.service.managed else "external"
            case _:
                return  # an event of a handle that has been replaced
        self.on_change()

    async def wait_healthy(self, name: str, timeout_s: float) -> None:
        """Waits for the first healthy check; raises the launch's error, or StartFailed."""
        entry = self.services[name]
        try:
            async with asyncio.timeout(timeout_s):
                while not entry.healthy:
                    if entry.error is not None:
                        raise entry.error
                    if entry.failures > 1:
                        raise StartFailed(f"{name} does not start: it {entry.reason}.")
                    await self._changed.wait()
        except TimeoutError:
            raise StartFailed(f"{name} is not healthy after {timeout_s:.0f} s: {entry.reason or 'no answer'}") from None

    async def stop(self, names: Iterable[str]) -> None:
        """Stops services together and waits until all have ended."""
        entries = [self.services[name] for name in names]
        for entry in entries:
            self.request(StopRequested(entry.service.name))
        while any(entry.wanted or entry.state not in ("stopped", "failed") for entry in entries):
            await self._changed.wait()

    def _start(self, entry: SupervisedService) -> None:
        if entry.wanted and entry.state != "failed":
            return
        entry.wanted, entry.failures, entry.error = True, 0, None
        if entry.state in ("stopped", "failed"):
            self._launch(entry)

    def _stop(self, entry: SupervisedService) -> None:
        entry.wanted = False
        if entry.handle is not None:
            entry.state, entry.healthy = "stopping", False
            self._spawn(entry.handle.stop())
        elif entry.state == "failed":
            entry.state = "stopped"

    def _restart(self, entry: SupervisedService) -> None:
        if entry.handle is None:
            self._start(entry)
            return
        entry.wanted, entry.state, entry.healthy = True, "stopping", False
        self._spawn(entry.handle.stop())

    def _launch(self, entry: SupervisedService) -> None:
        entry.state, entry.healthy, entry.reason = "starting", False, "starting"
        self._spawn(self._launch_and_post(entry.service))

    async def _launch_and_post(self, service: Service) -> None:
        try:
            handle = await service.launch()
        except ApplianceError as error:
            self._events.put_nowait(LaunchRefused(service.name, error))
        except Exception as error:
            # The outermost guard: without an event the service would stay in "starting" for ever.
            log.exception("Cannot launch %s", service.name)
            self._events.put_nowait(LaunchRefused(service.name, StartFailed(f"{service.name}: {error!r}")))
        else:
            self._events.put_nowait(Launched(service.name, handle))

    def _adopt(self, entry: SupervisedService, handle: ServiceHandle) -> None:
        entry.handle, entry.started_at = handle, self.clock.now()
        self._spawn(self._watch_end(entry.service.name, handle))
        if entry.wanted:
            self._spawn(self._watch_health(entry, handle))
        else:
            self._stop(entry)

    async def _watch_end(self, name: str, handle: ServiceHandle) -> None:
        self._events.put_nowait(ServiceEnded(name, handle, await handle.wait()))

    async def _watch_health(self, entry: SupervisedService, handle: ServiceHandle) -> None:
        heard_at, unanswered = self.clock.now(), 0
        while entry.handle is handle and entry.wanted:
            problem: str | None = None
            is_silent = False
            try:
                await entry.service.check(handle)
            except ApplianceError as error:
                problem, is_silent = str(error), isinstance(error, ServiceSilent) and entry.state == "running"
            except Exception as error:
                # The outermost guard: a later check may succeed.
                problem = f"It cannot be checked: {error!r}"
                if problem != entry.reason:
                    log.exception("Cannot check %s", entry.service.name)
            heard_at, unanswered = (heard_at, unanswered + 1) if is_silent else (self.clock.now(), 0)
            hangs = unanswered >= HANGS_AFTER_CHECKS and self.clock.now() - heard_at >= HANGS_AFTER_S
            if hangs and entry.service.name not in self.never_restarted:
                self._events.put_nowait(Hung(entry.service.name, handle))
                return
            if (problem is None) != entry.healthy or problem != entry.reason:
                self._events.put_nowait(Checked(entry.service.name, handle, problem))
            starting = entry.state == "starting" and problem is not None
            await self.clock.sleep(CHECK_STARTING_S if starting else CHECK_RUNNING_S)

    def _end(self, entry: SupervisedService, how: str) -> None:
        steady = entry.started_at is not None and self.clock.now() - entry.started_at >= STEADY_AFTER_S
        entry.handle, entry.started_at, entry.healthy = None, None, False
        if not entry.wanted:
            entry.state, entry.reason = "stopped", None
        elif entry.state == "stopping":  # a restart
            self._launch(entry)
        else:
            entry.failures = 0 if steady else entry.failures
            self._fail(entry, how)

    def _fail(self, entry: SupervisedService, how: str) -> None:
        entry.failures += 1
        entry.healthy, entry.reason = False, how
        entry.state = "failed" if entry.wanted else "stopped"
        if entry.wanted:
            self._spawn(self._back_off(entry.service.name, backoff_seconds(entry.failures)))

    async def _back_off(self, name: str, seconds: float) -> None:
        await self.clock.sleep(seconds)
        self._events.put_nowait(BackoffPassed(name))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def backoff_seconds(failures: int) -> float:
    """Seconds before the next start after this many failures in a row."""
    return min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2.0 ** (failures - 1))
