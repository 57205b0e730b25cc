"""Services, handles and a clock that tests steer by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from appliance.errors import ApplianceError, ServiceSilent, StoreUnavailable
from appliance.orchestrator.runtimes.contract import ServiceHandle


class FakeClock:
    """Time that only moves when somebody sleeps, or is told to."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)


class FakeHandle:
    """A handle that ends when it is told to."""

    container: str | None = None

    def __init__(self, pid: int) -> None:
        self.pid: int | None = pid
        self.stops = 0
        self._end: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def end(self, how: str) -> None:
        if not self._end.done():
            self._end.set_result(how)

    async def wait(self) -> str:
        return await asyncio.shield(self._end)

    async def stop(self) -> None:
        self.stops += 1
        self.end("exited with code 0")


@dataclass(slots=True)
class FakeService:
    """A service whose launches and checks answer what the test says."""

    name: str = "redis"
    address: str | None = "127.0.0.1:1"
    managed: bool = True
    handles: list[FakeHandle] = field(default_factory=list)
    refusal: ApplianceError | None = None
    problem: str | None = None
    is_silent: bool = False
    on_launch: Callable[[FakeHandle], None] = lambda handle: None
    on_check: Callable[[], Awaitable[None]] | None = None

    async def launch(self) -> ServiceHandle:
        if self.refusal is not None:
            raise self.refusal
        handle = FakeHandle(100 + len(self.handles))
        self.handles.append(handle)
        self.on_launch(handle)
        return handle

    async def check(self, handle: ServiceHandle) -> None:
        if self.on_check is not None:
            await self.on_check()
        if self.is_silent:
            raise ServiceSilent("It says nothing.")
        if self.problem is not None:
            raise StoreUnavailable(self.problem)
