"""Requests and drawing at the start: each once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from textual.css.stylesheet import Stylesheet

from appliance.errors import NotRunning, RemoteError
from tests.tui.conftest import NOW, Until
from tui.api.sample import SampleGateway
from tui.app import LangfuseApp
from tui.model.records import Server
from tui.screens.first_run import FirstRunScreen
from tui.screens.start import StartScreen
from tui.screens.traces import TracesScreen, list_query
from tui.state import Remembered, StateFile


class Counted(SampleGateway):
    """Counts the connections, and refuses the first ones."""

    def __init__(self, count: int, *refusals: Exception) -> None:
        super().__init__(count, now=NOW)
        self.connections = 0
        self.refusals = list(refusals)

    async def connect(self) -> Server:
        self.connections += 1
        if self.refusals:
            raise self.refusals.pop(0)
        return await super().connect()


def over(gateway: SampleGateway, folder: Path, state: Remembered | None = None) -> LangfuseApp:
    state_file = StateFile("test", folder)
    state_file.save(state or Remembered())
    return LangfuseApp(gateway, state_file, now=lambda: NOW)


async def test_the_first_page_is_asked_once(tmp_path: Path, until: Until) -> None:
    gateway = Counted(3)
    app = over(gateway, tmp_path)
    async with app.run_test():
        await until(lambda: isinstance(app.screen, TracesScreen) and len(app.screen.rows) == 3)
        assert (gateway.connections, gateway.pages_asked) == (1, [1])


async def test_an_empty_first_page_is_the_first_run(tmp_path: Path, until: Until) -> None:
    app = over(Counted(0), tmp_path)
    async with app.run_test():
        await until(lambda: isinstance(app.screen, FirstRunScreen) and app.screen.is_mounted)


@pytest.mark.parametrize("state", [Remembered(query="name:rag"), Remembered(screen="services")])
async def test_behind_a_filter_or_elsewhere_the_first_run_is_found_too(
    state: Remembered, tmp_path: Path, until: Until
) -> None:
    app = over(Counted(0), tmp_path, state)
    async with app.run_test():
        await until(lambda: isinstance(app.screen, FirstRunScreen) and app.screen.is_mounted)


async def test_a_range_of_time_ends_when_the_list_asks(tmp_path: Path, until: Until) -> None:
    gateway = Counted(3)
    app = over(gateway, tmp_path, Remembered(trace_range="1h"))
    async with app.run_test():
        await until(lambda: isinstance(app.screen, TracesScreen) and app.screen.is_loaded)
        asked = [query.since for query in gateway.queries if query.since]
        assert asked == [NOW - timedelta(hours=1)] == [list_query(app.state, NOW).since]


async def test_without_an_appliance_the_start_is_offered(tmp_path: Path, until: Until) -> None:
    gateway = Counted(3, NotRunning("Nothing runs."))
    app = over(gateway, tmp_path)
    async with app.run_test():
        await until(lambda: isinstance(app.screen, StartScreen) and app.screen.is_mounted)
        app.pop_screen()
        app.connect()
        await until(lambda: isinstance(app.screen, TracesScreen) and len(app.screen.rows) == 3)
        assert gateway.connections == 2


async def test_the_error_of_a_connection_is_shown(tmp_path: Path, until: Until) -> None:
    app = over(Counted(3, RemoteError("No server.")), tmp_path)
    async with app.run_test():
        await until(lambda: "No server." in app.problem)
        assert app.connection == "silent"


async def test_styles_are_parsed_again_only_for_other_colours(
    tmp_path: Path, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[Stylesheet] = []
    reparse = Stylesheet.reparse

    def counting(self: Stylesheet) -> None:
        parsed.append(self)
        reparse(self)

    monkeypatch.setattr(Stylesheet, "reparse", counting)
    app = over(Counted(3), tmp_path)
    async with app.run_test() as pilot:
        await until(lambda: isinstance(app.screen, TracesScreen) and len(app.screen.rows) == 3)
        assert not parsed
        before = app.screen.styles.background
        app.action_next_theme()
        await pilot.pause()
        assert parsed
        assert app.screen.styles.background != before
