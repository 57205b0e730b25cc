"""What keys do, over sample data."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

import msgspec
import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from appliance.errors import RemoteError
from tests.tui.conftest import MakeApp, Until
from tui.api.gateway import TraceQuery
from tui.api.sample import SampleGateway
from tui.app import LangfuseApp
from tui.lists.trace_table import ORDERS
from tui.modals.choice import ChoiceModal
from tui.modals.help import HelpModal
from tui.model.records import Health, Observation, Slice, TraceRow
from tui.screens.first_run import FirstRunScreen
from tui.screens.home import HomeScreen
from tui.screens.observations import ObservationsScreen
from tui.screens.services import ServicesScreen, log_lines
from tui.screens.session import SessionScreen
from tui.screens.sessions import SessionsScreen
from tui.screens.trace import TraceScreen
from tui.screens.traces import TracesScreen
from tui.text.palette import palette_of
from tui.themes import DARK
from tui.widgets.bars import KeyBar


def traces(app: LangfuseApp) -> TracesScreen:
    assert isinstance(app.screen, TracesScreen)
    return app.screen


def trace(app: LangfuseApp) -> TraceScreen:
    assert isinstance(app.screen, TraceScreen)
    return app.screen


async def open_traces(app: LangfuseApp, pilot: Pilot[None], until: Until) -> TracesScreen:
    await until(lambda: isinstance(app.screen, TracesScreen) and app.screen.table.count)
    await pilot.pause()
    return traces(app)


async def test_list_fetches_only_the_pages_that_show(make_app: MakeApp, until: Until) -> None:
    gateway = SampleGateway(100_000 // 20)
    app = make_app(gateway)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await open_traces(app, pilot, until)
        assert screen.table.count == 5000
        await pilot.press("G")
        await until(lambda: screen.rows.get(4999))
        assert screen.table.cursor == 4999
        assert 20 not in gateway.pages_asked
        assert {1, 100} <= set(gateway.pages_asked)


async def test_enter_opens_and_escape_goes_back(make_app: MakeApp, until: Until) -> None:
    app = make_app()
    async with app.run_test(size=(140, 40)) as pilot:
        await open_traces(app, pilot, until)
        await pilot.press("j", "enter")
        await until(lambda: isinstance(app.screen, TraceScreen) and app.screen.span_view.count == 12)
        assert trace(app).crumb_bar.crumbs == ("Traces", trace(app).crumb)
        await pilot.press("escape")
        assert traces(app).table.cursor == 1


async def test_filter_asks_the_server_and_is_remembered(make_app: MakeApp, until: Until) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await open_traces(app, pilot, until)
        everything = screen.table.count
        await pilot.press("slash", *"name:rag-answer", "enter")
        await until(lambda: 0 < screen.table.count < everything)
        assert screen.table.has_focus
    again = make_app()
    async with again.run_test(size=(120, 40)) as pilot:
        screen = await open_traces(again, pilot, until)
        assert 0 < screen.table.count < everything
        await pilot.press("escape")
        await until(lambda: screen.table.count == everything)


async def test_wrong_filter_says_why(make_app: MakeApp, until: Until) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await open_traces(app, pilot, until)
        await pilot.press("slash", *"cost>lots", "enter")
        await until(lambda: screen.query_bar.error.has_class("-shown"))
        assert "cost needs a number" in str(screen.query_bar.error.render())


async def test_new_traces_appear_and_pause_holds_them(make_app: MakeApp, until: Until) -> None:
    gateway = SampleGateway(60)
    app = make_app(gateway)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await open_traces(app, pilot, until)
        gateway.add_trace("fresh")
        await until(lambda: screen.table.count == 61)
        first = screen.rows.get(0)
        assert first is not None
        assert first.name == "fresh"
        await pilot.press("space")
        gateway.add_trace("held")
        await until(lambda: "1 new" in screen.crumb_bar.status.plain)
        assert screen.table.count == 61
        await pilot.press("space")
        await until(lambda: screen.table.count == 62)


async def test_live_rows_leave_the_cursor_on_its_trace(make_app: MakeApp, until: Until) -> None:
    gateway = SampleGateway(60)
    app = make_app(gateway)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await open_traces(app, pilot, until)
        await pilot.press("j", "j")
        here = screen.current
        gateway.add_trace()
        await until(lambda: screen.table.count == 61)
        assert screen.current == here


async def test_lost_connection_is_shown_and_survived(make_app: MakeApp, until: Until) -> None:
    gateway = SampleGateway(60)
    app = make_app(gateway)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await open_traces(app, pilot, until)
        gateway.failure = RemoteError("No Langfuse server answers at http://x.", hint="Check the address.")
        await pilot.press("r")
        await until(lambda: app.connection == "lost" and screen.banner.text)
        assert screen.banner.display
        gateway.failure = None
        app.ask_health()
        await until(lambda: app.connection == "ok" and not screen.banner.text)


async def test_red_health_says_the_reason(make_app: MakeApp, until: Until) -> None:
    gateway = SampleGateway(60)
    gateway.healthy = Health(ok=False, reason="no worker has been heard for 40 s")
    app = make_app(gateway)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await open_traces(app, pilot, until)
        await until(lambda: "no worker" in screen.banner.text)
        assert app.connection == "bad"


async def test_dead_letters_are_counted_in_the_top_bar(make_app: MakeApp, until: Until) -> None:
    gateway = SampleGateway(60)
    gateway.healthy = Health(ok=True, dead_letters=3)
    app = make_app(gateway)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await open_traces(app, pilot, until)
        await until(lambda: "3 dead letters" in str(screen.top_bar.render()))
        gateway.healthy = Health(ok=True)
        app.ask_health()
        await until(lambda: "dead" not in str(screen.top_bar.render()))


async def test_number_keys_switch_screens_and_the_last_one_is_remembered(make_app: MakeApp, until: Until) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_traces(app, pilot, until)
        for key, kind in (("1", HomeScreen), ("3", SessionsScreen), ("4", ObservationsScreen), ("5", ServicesScreen)):
            await pilot.press(key)
            assert isinstance(app.screen, kind)
    again = make_app()
    async with again.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert isinstance(again.screen, ServicesScreen)


async def test_jump_bar(make_app: MakeApp, until: Until) -> None:
    gateway = SampleGateway(20)
    app = make_app(gateway)
    async with app.run_test(size=(120, 40)) as pilot:
        await open_traces(app, pilot, until)
        await pilot.press("colon", *f"trace {gateway.rows[3].id}", "enter")
        await until(lambda: isinstance(app.screen, TraceScreen) and app.screen.span_view.count)
        assert trace(app).trace_id == gateway.rows[3].id
        await pilot.press("colon", *"sessions", "enter")
        assert isinstance(app.screen, SessionsScreen)


async def test_trace_jumps_tabs_and_folds(make_app: MakeApp, until: Until) -> None:
    app = make_app()
    async with app.run_test(size=(140, 40)) as pilot:
        await open_traces(app, pilot, until)
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, TraceScreen) and app.screen.span_view.count == 12)
        screen = trace(app)
        await pilot.press("c")
        assert screen.span_view.current is not None
        assert screen.span_view.current.observation.name == "answer"
        await until(lambda: "lookup_order" in screen.details.text)
        await pilot.press("right_square_bracket")
        assert screen.tab == "input"
        assert screen.details.text.startswith("[")
        await pilot.press("tab", "enter")
        assert screen.details.text == "[ … ]  4 items"
        await pilot.press("tab", "g", "j", "h")
        assert screen.span_view.count == 2


async def test_huge_trace_opens(make_app: MakeApp, until: Until) -> None:
    app = make_app(SampleGateway(10, observations=50_000))
    async with app.run_test(size=(140, 40)) as pilot:
        await open_traces(app, pilot, until)
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, TraceScreen) and app.screen.span_view.count == 50_001)
        await pilot.press("G")
        assert trace(app).span_view.cursor == 50_000


async def test_copy_menu(make_app: MakeApp, until: Until) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await open_traces(app, pilot, until)
        row = screen.current
        assert row is not None
        await pilot.press("y")
        await until(lambda: isinstance(app.screen, ChoiceModal))
        await pilot.press("d")
        await until(lambda: app.clipboard == row.id)


async def test_help_lists_the_keys_of_the_screen(make_app: MakeApp, until: Until) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_traces(app, pilot, until)
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpModal)
        await pilot.press("escape")
        assert isinstance(app.screen, TracesScreen)


async def test_session_is_one_conversation(make_app: MakeApp, until: Until) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("3")
        await until(lambda: isinstance(app.screen, SessionsScreen) and app.screen.table.count)
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, SessionScreen) and app.screen.document.count)
        assert isinstance(app.screen, SessionScreen)
        assert app.screen.document.text.count("▌") == 0
        assert app.screen.document.text.count("assistant") >= 1


async def test_services_control_asks_before_stopping(make_app: MakeApp, until: Until) -> None:
    gateway = SampleGateway(10)
    app = make_app(gateway)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("5")
        await until(lambda: isinstance(app.screen, ServicesScreen) and app.screen.table.count == 5)
        await pilot.press("j", "R")
        await until(lambda: gateway.controlled == [("redis", "restart")])
        await pilot.press("S", "n")
        assert gateway.controlled == [("redis", "restart")]
        await pilot.press("S", "y")
        await until(lambda: ("redis", "stop") in gateway.controlled)


async def test_first_run_waits_for_the_first_trace(make_app: MakeApp, until: Until) -> None:
    gateway = SampleGateway(0)
    app = make_app(gateway)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(lambda: isinstance(app.screen, FirstRunScreen) and app.screen.is_loaded)
        assert isinstance(app.screen, FirstRunScreen)
        screen = app.screen
        await until(lambda: gateway.server.public_key in screen.snippet.text)
        await pilot.press("y")
        assert "from langfuse import" in app.clipboard
        await until(lambda: screen.known_ids is not None)
        gateway.add_trace("hello")
        await until(lambda: screen.received)
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, TraceScreen))


async def test_a_trace_between_the_check_and_the_first_page_is_received(make_app: MakeApp, until: Until) -> None:
    class Racing(SampleGateway):
        async def trace_page(self, query: TraceQuery, page: int) -> Slice[TraceRow]:
            if isinstance(app.screen, FirstRunScreen) and not self.rows:
                self.add_trace("early")
            return await super().trace_page(query, page)

    app = make_app(Racing(0))
    async with app.run_test(size=(100, 30)):
        await until(lambda: isinstance(app.screen, FirstRunScreen) and app.screen.received)
        assert isinstance(app.screen, FirstRunScreen)
        assert app.screen.received is not None
        assert app.screen.received.name == "early"


async def test_every_order_is_asked_for_and_marked(make_app: MakeApp, until: Until) -> None:
    gateway = SampleGateway(120)
    app = make_app(gateway)
    async with app.run_test(size=(160, 40)) as pilot:
        screen = await open_traces(app, pilot, until)

        def is_asked(order: str) -> bool:
            return gateway.queries[-1].order == order and not screen.crumb_bar.is_busy

        for number, (order, _) in enumerate(ORDERS, 1):
            await pilot.press("s", str(number))
            await until(partial(is_asked, order))
            column, _, direction = order.partition(".")
            assert (screen.table.sorted_by, screen.table.is_descending) == (column, direction == "desc")
            assert ("● live" in screen.crumb_bar.status.plain) == (order == "timestamp.desc")


async def test_tab_completes_a_field_name(make_app: MakeApp, until: Until) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await open_traces(app, pilot, until)
        await pilot.press("slash", *"level:ERROR ses")
        await until(lambda: screen.query_bar.input._suggestion)
        await pilot.press("tab")
        assert screen.query_bar.input.value == "level:ERROR session:"


async def test_paging_to_the_end_of_ten_thousand(make_app: MakeApp, until: Until) -> None:
    app = make_app(SampleGateway(10_000))
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await open_traces(app, pilot, until)
        await pilot.press("G")
        await until(lambda: screen.rows.get(9_999))
        await pilot.press("pageup", "pageup")
        await until(lambda: screen.rows.get(screen.table.cursor))
        assert screen.table.cursor > 9_900


async def test_an_observation_without_an_end_is_drawn_open(make_app: MakeApp, until: Until) -> None:
    class Running(SampleGateway):
        async def trace_observations(self, trace_id: str) -> AsyncIterator[list[Observation]]:
            async for batch in super().trace_observations(trace_id):
                yield [msgspec.structs.replace(one, end_time=None) if one.name == "answer" else one for one in batch]

    app = make_app(Running(5))
    async with app.run_test(size=(160, 40)) as pilot:
        await open_traces(app, pilot, until)
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, TraceScreen) and app.screen.span_view.count == 12)
        view = trace(app).span_view
        row = next(i for i, node in enumerate(view.rows) if node.observation.name == "answer")
        shown = view.render_row(row, 100, False).text
        assert "open" in shown
        assert "┄┄" in shown


async def test_odd_names_stay_on_their_line(make_app: MakeApp, until: Until) -> None:
    gateway = SampleGateway(5)
    gateway.rows[0] = replace(gateway.rows[0], name="\x1b[31mred\x07\r\n👩‍👩‍👧 漢字 " * 20, user="\x1b]0;t\x07")
    gateway.rows[1] = replace(gateway.rows[1], name="", cost=None, latency=None, extras=None)
    app = make_app(gateway)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await open_traces(app, pilot, until)
        for index in range(2):
            strip = screen.table.render_row(index, 110, False)
            assert strip.cell_length == 110
            assert strip.text.isprintable()
        assert "unnamed" in screen.table.render_row(1, 110, False).text


@pytest.mark.parametrize("width", [80, 110, 200])
async def test_the_way_back_is_always_told(make_app: MakeApp, until: Until, width: int) -> None:
    app = make_app()
    async with app.run_test(size=(width, 30)) as pilot:
        await open_traces(app, pilot, until)
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, TraceScreen))
        keys = str(trace(app).query_one(KeyBar).render())
        assert "Esc back" in keys
        assert "/ search" in keys
        assert len(keys.rstrip()) <= width


@pytest.mark.parametrize(
    ("status", "word"), [(401, "keys refused"), (0, "no answer")], ids=["wrong keys", "unreachable"]
)
async def test_a_server_that_never_let_us_in_is_one_sentence(
    make_app: MakeApp, until: Until, status: int, word: str
) -> None:
    gateway = SampleGateway(10)
    gateway.failure = RemoteError("It does not work.", status=status, hint="Do something.")
    app = make_app(gateway)
    async with app.run_test(size=(120, 30)):
        await until(lambda: traces(app).banner.text)
        assert traces(app).banner.text == "It does not work. Do something."
        assert word in str(traces(app).top_bar.render())
        gateway.failure = None
        app.connect()
        await until(lambda: app.connection == "ok" and traces(app).table.count)
        assert not traces(app).banner.display


def test_the_level_of_a_log_line_decides_its_colour() -> None:
    palette = palette_of(DARK.variables | {"error": "#f00", "warning": "#ff0", "foreground": "#fff"})
    written = ["INFO uvicorn.error: started", "ERROR: no table", "<Warning> slow", "web: heartbeat"]
    colors = [line.text.style for line in log_lines(written, palette)]
    assert colors == [palette.muted, palette.bad, palette.warn, palette.muted]
