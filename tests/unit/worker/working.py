"""A worker on fakes, and ways to feed it and to look at it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import msgspec

from appliance.errors import StoreUnavailable
from appliance.model.queue import Delivery, Entry, EntryKind
from appliance.worker.outcomes import Outcomes
from appliance.worker.runner import Worker
from tests.fakes.payloads import START_S, export, span
from tests.fakes.sink import MemorySink
from tests.fakes.stream import FakeStream

MAX_ATTEMPTS = 3
AWAY = StoreUnavailable("ClickHouse is away.", store="ClickHouse")


class FakeLive:
    """Notes what those who watch are told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, list[str]]] = []
        self.failing: list[Exception] = []

    async def publish(self, project_id: str, trace_ids: Sequence[str]) -> None:
        if self.failing:
            raise self.failing.pop(0)
        self.told.append((project_id, list(trace_ids)))


class FakeHeartbeats:
    """Notes signs of life."""

    def __init__(self) -> None:
        self.states: list[dict[str, object]] = []
        self.times: list[float] = []
        self.stopped: list[str] = []
        self.failing: list[Exception] = []

    async def beat(self, worker: str, state: dict[str, object]) -> None:
        self.times.append(now())
        self.states.append(state)
        if self.failing:
            raise self.failing.pop(0)

    async def stop(self, worker: str) -> None:
        self.stopped.append(worker)


class Works(MemorySink):
    """Everything that workers share; `running` has one work."""

    def __init__(self) -> None:
        super().__init__()
        self.stream = FakeStream()
        self.live = FakeLive()
        self.heartbeats = FakeHeartbeats()
        self.stopping = asyncio.Event()

    async def put(self, *numbers: int, **changes: Any) -> str:
        """A request with a span for each number, each in a trace of its own."""
        body = export(*(span(number, trace=number) for number in numbers))
        return await self.put_body(body, **{"items": len(numbers), **changes})

    async def put_events(self, *events: dict[str, Any], **changes: Any) -> str:
        return await self.put_body(msgspec.json.encode(events), kind="events", items=len(events), **changes)

    async def put_body(self, body: bytes, kind: EntryKind = "otlp-json", **changes: Any) -> str:
        entry = Entry(kind=kind, project_id="p", body=body, **{"accepted_at": START_S * 1_000_000, **changes})
        return await self.stream.append(entry)

    async def hand_out(self, consumer: str, attempts: int = 1) -> list[Delivery]:
        """Give all that waits to a consumer, as if for the time that `attempts` says."""
        taken = await self.stream.read(consumer, 100, 0)
        await self.stream.keep(consumer, {each.id: attempts for each in taken})
        return taken

    def worker(self, name: str = "worker-1") -> Worker:
        outcomes = Outcomes(self.stream, self.live, MAX_ATTEMPTS, self.stopping)
        return Worker(
            name, self.stream, self.sink, self.patches, self.lookups, outcomes, self.heartbeats, self.stopping
        )

    @contextlib.asynccontextmanager
    async def running(self, name: str = "worker-1") -> AsyncIterator[None]:
        """A worker works inside the block, and is told to stop at its end."""
        self.stopping.clear()
        working = asyncio.create_task(self.worker(name).work())
        try:
            yield
        finally:
            self.stopping.set()
            await working

    async def drained(self) -> None:
        await until(lambda: not self.stream.entries)

    async def work_off(self) -> None:
        async with self.running():
            await self.drained()

    @property
    def letters(self) -> list[str]:
        return [letter.error for letter in self.stream.letters]

    @property
    def state(self) -> dict[str, object]:
        """What the worker said of itself last."""
        return self.heartbeats.states[-1]


def span_ids(*numbers: int) -> list[str]:
    return [f"{number:016x}" for number in numbers]


def trace_ids(*numbers: int) -> list[str]:
    return [f"{number:032x}" for number in numbers]


def now() -> float:
    return asyncio.get_running_loop().time()


async def let_pass(seconds: float) -> None:
    """Let made-up time pass."""
    await asyncio.sleep(seconds)


async def until(condition: Callable[[], object]) -> None:
    """Let made-up time pass until the condition is true; an hour at most."""
    async with asyncio.timeout(3600):
        while not condition():
            await let_pass(0.02)
