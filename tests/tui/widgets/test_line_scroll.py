"""The cursor of a table stays in view."""

from __future__ import annotations

from textual.app import App, ComposeResult

from tui.text.cells import Column
from tui.widgets.virtual_table import VirtualTable


class TableApp(App[None]):
    """A table without rows."""

    def compose(self) -> ComposeResult:
        yield VirtualTable([Column("name", "Name", 10)])


async def test_the_cursor_is_followed_before_the_scrollbar_shows() -> None:
    """A key may come between the first rows and the next layout, which shows the scrollbar."""
    async with TableApp().run_test(size=(80, 24)) as pilot:
        table = pilot.app.query_one(VirtualTable)
        table.set_count(500)
        table.action_last()
        assert table.cursor == 499 and table.cursor in table.visible_range
