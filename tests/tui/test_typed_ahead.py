"""Keys that arrive together, as from a paste or over a slow line: text stays text."""

from __future__ import annotations

from textual.app import App
from textual.events import Key

from tests.tui.conftest import MakeApp, Until
from tui.modals.help import HelpModal
from tui.modals.prompt import PromptModal
from tui.screens.traces import TracesScreen

NAMES = {"/": "slash", ":": "colon", "?": "question_mark"}


def send_at_once(app: App[None], text: str) -> None:
    """Puts all keys into the queue of the application before it handles the first one."""
    for character in text:
        app.post_message(Key(NAMES.get(character, character), character))


async def test_text_behind_a_slash_is_the_filter(make_app: MakeApp, until: Until) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)):
        await until(lambda: isinstance(app.screen, TracesScreen) and app.screen.table.count > 0)
        screen = app.screen
        assert isinstance(screen, TracesScreen)
        send_at_once(app, "/eyq/:rag")
        await until(lambda: screen.query_bar.input.value == "eyq/:rag")
        assert app.screen is screen


async def test_text_behind_a_colon_is_the_jump(make_app: MakeApp, until: Until) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)):
        await until(lambda: isinstance(app.screen, TracesScreen) and app.screen.table.count > 0)
        send_at_once(app, ":sessions")
        await until(lambda: isinstance(app.screen, PromptModal) and app.screen.line.value == "sessions")


async def test_no_jump_over_a_dialog(make_app: MakeApp, until: Until) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await until(lambda: isinstance(app.screen, TracesScreen) and app.screen.table.count > 0)
        await pilot.press("question_mark", "colon")
        await pilot.pause()
        assert isinstance(app.screen, HelpModal)
