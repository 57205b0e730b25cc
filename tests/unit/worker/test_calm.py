"""Jobs begin a step when ingestion is calm, or after a while."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from appliance.model.services import QueueStatus
from appliance.worker.jobs.calm import LONGEST_S, calm

CALM, LONG, OLD = (
    QueueStatus(backlog=2, oldest_s=0.1),
    QueueStatus(backlog=50, oldest_s=0.1),
    QueueStatus(backlog=1, oldest_s=5),
)


class Running:
    """A job on a queue whose state changes with each look."""

    def __init__(self, looks: Iterator[QueueStatus]) -> None:
        self.stores = self
        self.stream = self
        self.reports: list[str] = []
        self.looks = 0
        self._looks = looks

    async def backlog(self) -> QueueStatus:
        self.looks += 1
        return next(self._looks)

    async def report(self, message: str) -> None:
        self.reports.append(message)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sleeping takes no time, but the clock goes on."""
    now = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr("appliance.worker.jobs.calm.asyncio.sleep", sleep)
    monkeypatch.setattr("appliance.worker.jobs.calm.time.monotonic", lambda: now)


async def look(*states: QueueStatus) -> Running:
    running: Any = Running(iter(states))
    await calm(running, "scores")
    found: Running = running
    return found


async def test_a_calm_queue_is_looked_at_three_times() -> None:
    running = await look(*[CALM] * 3)
    assert (running.looks, running.reports) == (3, [])


@pytest.mark.parametrize("busy", [LONG, OLD])
async def test_a_busy_one_is_waited_for(busy: QueueStatus) -> None:
    running = await look(CALM, CALM, busy, busy, CALM, CALM, CALM)
    assert (running.looks, len(running.reports)) == (7, 2)
    assert running.reports[0].startswith("scores: waiting")


async def test_one_that_is_always_busy_is_not_waited_for_for_ever() -> None:
    running = await look(*[LONG] * 1000)
    assert LONGEST_S <= running.looks * 0.5 < LONGEST_S + 5
