"""Whatever arrives is in the live list or in its count of new ones, however many and whenever they began."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from msgspec.structs import replace

from appliance.errors import RemoteError
from tests.tui.conftest import MakeApp, Until
from tui.api.sample import SampleGateway
from tui.app import LangfuseApp
from tui.model.records import TraceRow
from tui.screens import traces as traces_module
from tui.screens.first_run import FirstRunScreen
from tui.screens.traces import TracesScreen


def arrive(gateway: SampleGateway, count: int, *, begun_before: timedelta, name: str = "late") -> list[TraceRow]:
    """Traces that arrive now and began some time ago, all at the same moment."""
    first = len(gateway.rows)
    moment = gateway.now - begun_before
    rows = [TraceRow(id=f"late-{first + number}", timestamp=moment, name=name) for number in range(count)]
    gateway.rows += rows
    gateway.written.put_nowait([row.id for row in rows])
    return rows


def shown(app: LangfuseApp) -> TracesScreen:
    screen = app.screen_stack[-1]
    assert isinstance(screen, TracesScreen)
    return screen


async def loaded(app: LangfuseApp, until: Until, count: int) -> TracesScreen:
    await until(lambda: isinstance(app.screen, TracesScreen) and app.screen.table.count == count)
    return shown(app)


@pytest.mark.parametrize("begun_before", [timedelta(), timedelta(days=3)], ids=str)
@pytest.mark.parametrize("count", [60, 400])
async def test_all_that_arrives_is_listed(make_app: MakeApp, until: Until, count: int, begun_before: timedelta) -> None:
    gateway = SampleGateway(120)
    app = make_app(gateway)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await loaded(app, until, 120)
        await pilot.pause()
        late = arrive(gateway, count, begun_before=begun_before)
        await until(lambda: screen.table.count == 120 + count)
        assert "● live" in screen.crumb_bar.status.plain
        found: set[str] = set()
        for place in (*range(0, screen.table.count, 20), screen.table.count - 1):
            screen.table.cursor = place
            await until(lambda: all(screen.rows.get(index) for index in screen.table.visible_range))
            found |= {row.id for index in screen.table.visible_range if (row := screen.rows.get(index))}
        assert {row.id for row in late} <= found


async def test_a_filter_holds_for_what_arrives(make_app: MakeApp, until: Until) -> None:
    gateway = SampleGateway(60)
    app = make_app(gateway)
    app.state.query = "name:late"
    async with app.run_test(size=(120, 40)):
        await until(lambda: app.is_ready and shown(app).is_loaded)
        for before in (0, 120):
            arrive(gateway, 1, begun_before=timedelta(seconds=before))
            arrive(gateway, 1, begun_before=timedelta(seconds=before), name="other")
        await until(lambda: shown(app).table.count == 2)


@pytest.mark.parametrize("begun_before", [timedelta(), timedelta(days=30)], ids=["newer", "older"])
async def test_the_cursor_stays_on_its_trace_and_in_its_place(
    make_app: MakeApp, until: Until, begun_before: timedelta
) -> None:
    gateway = SampleGateway(400)
    gateway.rows = [replace(row, timestamp=row.timestamp.replace(second=0, microsecond=0)) for row in gateway.rows]
    app = make_app(gateway)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await loaded(app, until, 400)
        await pilot.pause()
        screen.table.cursor = 220
        await until(lambda: screen.current)
        here, above = screen.current, 220 - screen.table.scroll_offset.y
        arrive(gateway, 170, begun_before=begun_before)
        await until(lambda: screen.table.count == 570)
        await until(lambda: all(screen.rows.get(index) for index in screen.table.visible_range))
        assert screen.current == here
        assert screen.table.cursor == 220 + (0 if begun_before else 170)
        assert screen.table.cursor - screen.table.scroll_offset.y == above


async def test_a_pause_counts_all_that_arrives(make_app: MakeApp, until: Until) -> None:
    gateway = SampleGateway(60)
    app = make_app(gateway)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await loaded(app, until, 60)
        await pilot.press("space")
        arrive(gateway, 300, begun_before=timedelta())
        arrive(gateway, 30, begun_before=timedelta(hours=1))
        await until(lambda: "330 new" in screen.crumb_bar.status.plain)
        assert screen.table.count == 60
        await pilot.press("space")
        await until(lambda: screen.table.count == 390)
        assert "new" not in screen.crumb_bar.status.plain


async def test_another_order_counts_what_it_does_not_list(make_app: MakeApp, until: Until) -> None:
    gateway = SampleGateway(60)
    app = make_app(gateway)
    app.state.order = "name.asc"
    async with app.run_test(size=(120, 40)):
        screen = await loaded(app, until, 60)
        arrive(gateway, 70, begun_before=timedelta())
        await until(lambda: "not live in this order, 70 new" in screen.crumb_bar.status.plain)


async def test_the_header_is_live_only_while_the_server_answers(
    make_app: MakeApp, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Breaking(SampleGateway):
        async def live(self) -> AsyncIterator[list[str]]:
            self._check()
            ids = await self.written.get()
            self._check()
            yield ids

    monkeypatch.setattr(traces_module, "POLL_S", 0.02)
    gateway = Breaking(60)
    app = make_app(gateway)
    async with app.run_test(size=(120, 40)):
        screen = await loaded(app, until, 60)
        assert "● live" in screen.crumb_bar.status.plain
        gateway.failure = RemoteError("The connection broke.", status=503)
        gateway.written.put_nowait(["t"])
        await until(lambda: "not live now" in screen.crumb_bar.status.plain)
        arrive(gateway, 70, begun_before=timedelta(hours=1))
        gateway.failure = None
        await until(lambda: "● live" in screen.crumb_bar.status.plain)
        assert screen.table.count == 130


async def test_a_server_that_cannot_tell_is_asked(
    make_app: MakeApp, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Other(SampleGateway):
        async def live(self) -> AsyncIterator[list[str]]:
            if self.rows:
                raise RemoteError("No endpoint", status=404)
            yield []

    monkeypatch.setattr(traces_module, "POLL_S", 0.02)
    gateway = Other(60)
    app = make_app(gateway)
    async with app.run_test(size=(120, 40)):
        screen = await loaded(app, until, 60)
        arrive(gateway, 160, begun_before=timedelta(hours=1))
        await until(lambda: screen.table.count == 220)
        assert "● live" in screen.crumb_bar.status.plain


async def test_the_first_run_hears_of_a_trace_that_began_long_ago(make_app: MakeApp, until: Until) -> None:
    gateway = SampleGateway(120)
    app = make_app(gateway)
    async with app.run_test(size=(120, 40)) as pilot:
        await loaded(app, until, 120)
        await pilot.press("0")
        await until(lambda: isinstance(app.screen, FirstRunScreen) and app.screen.known_ids)
        screen = app.screen_stack[-1]
        assert isinstance(screen, FirstRunScreen)
        (late,) = arrive(gateway, 1, begun_before=timedelta(days=3))

        def is_received() -> bool:
            gateway.written.put_nowait([late.id])  # the list below listens, too, and takes some
            return screen.received is not None

        await until(is_received)
        assert screen.received is not None
        assert screen.received.id == late.id
