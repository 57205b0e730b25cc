"""Square brackets in what users type and servers answer are text, never markup."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from textual.command import CommandList, CommandPalette
from textual.pilot import Pilot
from textual.widgets import Input
from textual.widgets._toast import Toast

from appliance.api_types.observations import ApiObservation
from appliance.api_types.scores import ApiScore
from appliance.api_types.traces import ApiTraceDetail
from appliance.errors import RemoteError
from tests.tui.conftest import MakeApp, Until
from tui.api.sample import SampleGateway
from tui.app import LangfuseApp
from tui.host import Jump
from tui.model.records import Health, Observation, Slice
from tui.screens.trace import TraceScreen
from tui.screens.traces import TracesScreen

MARKUP = ["foo[/bar]", "[red]", "[@click=app.quit]x[/]", "\\[link=http://x"]


def said(app: LangfuseApp) -> str:
    return " ".join(str(toast.render()) for toast in app.screen.query(Toast))


async def typed(pilot: Pilot[None], text: str) -> None:
    """Types a text into the input that has the focus."""
    focused = pilot.app.focused
    assert isinstance(focused, Input)
    focused.value = text
    await pilot.press("enter")


@pytest.mark.parametrize("text", MARKUP)
async def test_every_line_of_input_says_what_was_typed(make_app: MakeApp, until: Until, text: str) -> None:
    gateway = SampleGateway(5)
    app = make_app(gateway)
    async with app.run_test(size=(160, 40), notifications=True) as pilot:
        await until(lambda: isinstance(app.screen, TracesScreen) and app.screen.table.count)
        await pilot.press("colon")
        await typed(pilot, text)
        await until(lambda: f"There is no :{text}" in said(app))
        await pilot.press("colon")
        await typed(pilot, f"theme {text}")
        await until(lambda: f"There is no theme {text!r}." in said(app))
        await pilot.press("slash")
        await typed(pilot, text)
        await pilot.press("escape", "enter")
        await until(lambda: isinstance(app.screen, TraceScreen) and app.screen.span_view.count)
        await pilot.press("slash")
        await typed(pilot, text)
        await until(lambda: f"Nothing here matches {text!r}." in said(app))


@pytest.mark.parametrize("text", ["[/abcdefgh]", "[red]abcdefgh", "[@click=app.quit]x[/]"])
async def test_the_palette_offers_to_open_what_was_typed(
    make_app: MakeApp, until: Until, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    app = make_app(SampleGateway(5))
    jumps: list[Jump | str] = []
    monkeypatch.setattr(app, "go", jumps.append)
    async with app.run_test(size=(160, 40), notifications=True) as pilot:
        await until(lambda: isinstance(app.screen, TracesScreen) and app.screen.table.count)
        await pilot.press("ctrl+p")
        await until(lambda: isinstance(app.screen, CommandPalette) and isinstance(app.focused, Input))
        palette = app.screen
        assert isinstance(app.focused, Input)
        app.focused.value = text
        commands = palette.query_one(CommandList)
        await until(lambda: any(f"Open trace {text}" in str(option.prompt) for option in commands.options))
        await pilot.press("down", "enter")
        await until(lambda: jumps == [Jump("trace", text)])


class Bracketed(SampleGateway):
    """Every text of its answers is a piece of markup."""

    def __init__(self, text: str) -> None:
        super().__init__(3)
        self.text = text
        self.server = replace(self.server, project=text)
        row = self.rows[0]
        assert row.extras is not None
        scores = (ApiScore(id="s", name=text, string_value=text, data_type="CATEGORICAL", comment=text),)
        self.rows[0] = replace(
            row, name=text, input=text, output=text, user=text, session=text, environment=text, tags=(text,),
            extras=replace(row.extras, scores=scores),
        )  # fmt: skip
        self.healthy = Health(ok=False, reason=text)

    async def trace(self, trace_id: str) -> ApiTraceDetail:
        found = await super().trace(trace_id)
        return msgspec.structs.replace(found, input=self.text, output={self.text: [self.text]}, metadata=self.text)

    async def trace_observations(self, trace_id: str) -> AsyncIterator[list[Observation]]:
        async for batch in super().trace_observations(trace_id):
            yield [self._marked(one) for one in batch]

    def _marked(self, one: Observation) -> Observation:
        return msgspec.structs.replace(one, name=self.text, level="ERROR", status_message=self.text, model=self.text)

    async def observation(self, observation_id: str) -> ApiObservation:
        return ApiObservation(
            id=observation_id,
            input=[{"role": self.text, "content": self.text}],
            output=self.text,
            metadata={self.text: self.text},
            model_parameters={self.text: self.text},
        )

    async def observation_page(self, conditions: Sequence[Mapping[str, Any]], page: int) -> Slice[Observation]:
        found = await super().observation_page(conditions, page)
        return Slice([self._marked(one) for one in found.rows], found.total)


@pytest.mark.parametrize("text", MARKUP)
async def test_every_screen_shows_brackets_of_the_server(make_app: MakeApp, until: Until, text: str) -> None:
    gateway = Bracketed(text)
    app = make_app(gateway)
    async with app.run_test(size=(200, 50), notifications=True) as pilot:
        await until(lambda: isinstance(app.screen, TracesScreen) and app.screen.table.count)
        traces = app.screen_stack[-1]
        assert isinstance(traces, TracesScreen)
        await until(lambda: text in traces.preview.text and text in traces.banner.text)
        assert text in str(traces.top_bar.render())
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, TraceScreen) and app.screen.span_view.count > 1)
        trace = app.screen_stack[-1]
        assert isinstance(trace, TraceScreen)
        assert text in str(trace.crumb_bar.render())
        for _ in range(5):
            await pilot.press("j", "right_square_bracket")
            await until(lambda: text in trace.details.text)
        gateway.failure = RemoteError(text)
        await pilot.press("r")
        await until(lambda: text in trace.banner.text)
        gateway.failure = None
        for key in "1345":
            await pilot.press(key)
            await pilot.pause()
        app.copy(text, text)
        await until(lambda: f"Copied {text}" in said(app))
