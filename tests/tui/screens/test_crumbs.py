"""The way to a screen: whole where there is room, and always with where one is."""

from __future__ import annotations

from functools import partial

import pytest
from msgspec.structs import replace
from rich.cells import cell_len

from tests.tui.conftest import MakeApp, Until
from tui.api.sample import SampleGateway
from tui.app import LangfuseApp
from tui.screens.sessions import SessionsScreen
from tui.screens.trace import TraceScreen
from tui.screens.traces import TracesScreen
from tui.widgets.bars import fitting_crumbs

WIDE = "日本語のトレース名がとても長い場合"


def test_wide_letters_are_whole_where_there_is_room() -> None:
    assert fitting_crumbs(["Traces", WIDE], 60) == ["Traces", WIDE]


@pytest.mark.parametrize("width", [5, 12, 30, 45, 60])
def test_the_last_crumb_stays(width: int) -> None:
    shown = fitting_crumbs(["Sessions", "chat-0001", WIDE, "last 日本"], width)
    assert shown[-1].strip().startswith(("last", "…")[width < 5])
    assert cell_len(" › ".join(shown)) <= width


@pytest.mark.parametrize("width", [8, 20, 30])
def test_a_last_crumb_without_room_is_cut_by_cells(width: int) -> None:
    shown = fitting_crumbs(["Traces", WIDE], width)
    assert shown[-1].startswith("日本")
    assert shown[-1].rstrip().endswith("…")
    assert cell_len(" › ".join(shown)) <= width


def test_control_characters_and_new_lines_stay_out() -> None:
    assert fitting_crumbs(["a\x1b[31m\nb\u202e"], 40) == ["a·[31m b·"]


def places(app: LangfuseApp) -> list[str]:
    return [screen.subject for screen in app.screen_stack[1:] if isinstance(screen, TraceScreen)]


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (200, 60)])
async def test_a_jump_replaces_and_says_where_one_is(make_app: MakeApp, until: Until, size: tuple[int, int]) -> None:
    gateway = SampleGateway(20)
    app = make_app(gateway)
    async with app.run_test(size=size) as pilot:
        await until(lambda: isinstance(app.screen, TracesScreen) and app.screen.table.count)
        for index in range(4):
            await pilot.press("colon", *f"trace {gateway.rows[index].id}", "enter")
            await until(lambda: isinstance(app.screen, TraceScreen) and app.screen.span_view.count)
        assert places(app) == [f"trace {gateway.rows[3].id}"]
        screen = app.screen_stack[-1]
        assert isinstance(screen, TraceScreen)
        assert f"Traces › {gateway.rows[3].name}" in str(screen.crumb_bar.render())


async def test_going_to_and_fro_does_not_pile_up(make_app: MakeApp, until: Until) -> None:
    gateway = SampleGateway(20)
    gateway.rows = [replace(row, id=name) for name, row in zip("abcdefgh", gateway.rows, strict=False)]
    app = make_app(gateway)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("3")
        await until(lambda: isinstance(app.screen, SessionsScreen) and app.screen.table.count)
        app.open_session("chat-0001")
        for _ in range(3):
            for go in (
                partial(app.open_trace, "a"),
                partial(app.open_trace, "b"),
                partial(app.open_session, "chat-0001"),
            ):
                go()
                await pilot.pause()
        assert [screen.subject for screen in app.screen_stack] == ["", "session chat-0001"]  # type: ignore[attr-defined]
