"""Applications over sample data, with nothing remembered from before."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tui.api.sample import SampleGateway
from tui.app import LangfuseApp
from tui.state import StateFile

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

MakeApp = Callable[..., LangfuseApp]
Until = Callable[[Callable[[], object]], Awaitable[None]]


@pytest.fixture(autouse=True)
def interrupts() -> Iterator[None]:
    """Ctrl-C ends the tests again when an application had it for itself."""
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def make_app(tmp_path: Path) -> MakeApp:
    """Makes an application over a gateway; the state file is shared by all of one test."""

    def make(gateway: SampleGateway | None = None) -> LangfuseApp:
        app = LangfuseApp(gateway or SampleGateway(now=NOW), StateFile("test", tmp_path), now=lambda: NOW)
        app.state.theme = "midnight"  # else the terminal that runs the tests would choose
        return app

    return make


@pytest.fixture
def until() -> Until:
    """Waits for a condition and says which one never came."""
    import asyncio

    async def wait(condition: Callable[[], object]) -> None:
        for _ in range(500):
            try:
                if condition():
                    return
            except LookupError:
                pass
            await asyncio.sleep(0.02)
        raise AssertionError("the awaited condition did not come true within 10 s")

    return wait
