"""Lists whose filter changes while their pages are on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from tests.tui.conftest import NOW, MakeApp, Until
from tui.api.sample import SampleGateway
from tui.model.records import Observation, Slice
from tui.screens.observations import ObservationsScreen


class SlowGateway(SampleGateway):
    """Answers for later pages only when it is told to."""

    def __init__(self) -> None:
        super().__init__(now=NOW)
        self.may_answer = asyncio.Event()
        self.late_pages: list[int] = []

    async def observation_page(self, conditions: Sequence[Mapping[str, Any]], page: int) -> Slice[Observation]:
        if page > 1:
            self.late_pages.append(page)
            await self.may_answer.wait()
        return await super().observation_page(conditions, page)


async def test_page_of_an_earlier_filter_is_not_shown(make_app: MakeApp, until: Until) -> None:
    gateway = SlowGateway()
    app = make_app(gateway)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("4")
        await until(lambda: isinstance(app.screen, ObservationsScreen) and app.screen.table.count > 50)
        screen = app.screen
        assert isinstance(screen, ObservationsScreen)
        everything = screen.table.count
        await pilot.press("G")
        await until(lambda: gateway.late_pages)
        await pilot.press("f", "3")
        await until(lambda: 0 < screen.table.count < everything)
        count = screen.table.count
        gateway.may_answer.set()
        await pilot.pause(0.1)
        assert screen.table.count == count
        assert {row.type for index in range(count) if (row := screen.rows.get(index))} == {"GENERATION"}
