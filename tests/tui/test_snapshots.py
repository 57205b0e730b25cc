"""A few pictures, so that a change of looks is seen by somebody; the logic is tested elsewhere."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator

import pytest
from textual.pilot import Pilot

from tests.tui.conftest import NOW, MakeApp, Until
from tui.api.sample import SampleGateway
from tui.app import LangfuseApp

Compare = Callable[..., bool]


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times are shown in UTC, wherever the tests run."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


def settled(app: LangfuseApp, until: Until, *keys: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Presses keys once the data is there, and waits for what they fetch."""

    async def before(pilot: Pilot[None]) -> None:
        await until(lambda: app.is_ready and not app.screen.query_one("CrumbBar").is_busy)  # type: ignore[attr-defined]
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.4)
        await pilot.pause(0.4)

    return before


@pytest.mark.parametrize("size", [(80, 24), (160, 40)])
def test_traces(snap_compare: Compare, make_app: MakeApp, until: Until, size: tuple[int, int]) -> None:
    app = make_app(SampleGateway(now=NOW))
    assert snap_compare(app, terminal_size=size, run_before=settled(app, until))


def test_trace(snap_compare: Compare, make_app: MakeApp, until: Until) -> None:
    app = make_app(SampleGateway(now=NOW))
    assert snap_compare(app, terminal_size=(160, 40), run_before=settled(app, until, "enter", "c"))


def test_home(snap_compare: Compare, make_app: MakeApp, until: Until) -> None:
    app = make_app(SampleGateway(now=NOW))
    assert snap_compare(app, terminal_size=(100, 30), run_before=settled(app, until, "1"))
