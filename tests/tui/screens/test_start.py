"""The first screen when nothing runs: where the stores shall run, and how far their images are."""

from __future__ import annotations

from collections.abc import AsyncIterator

from appliance.errors import NotRunning
from tests.tui.conftest import MakeApp, Until
from tui.api.sample import SampleGateway
from tui.model.records import Server
from tui.screens.start import StartScreen


class Stopped(SampleGateway):
    """Nothing runs until it is started."""

    def __init__(self, steps: list[str]) -> None:
        super().__init__(3)
        self.steps = steps
        self.runtimes: list[str] = []
        self.fails = True

    async def connect(self) -> Server:
        raise NotRunning("Nothing runs.")

    async def start(self, runtime: str = "") -> AsyncIterator[str]:
        self.runtimes.append(runtime)
        for step in self.steps:
            yield step
        if self.fails:
            raise NotRunning("No Docker is running here.")


async def test_the_stores_may_run_in_docker(make_app: MakeApp, until: Until) -> None:
    shares = [f"fetching redis:7: {share} % of 12 MB, 0 of 3 layers" for share in (10, 20, 90)]
    gateway = Stopped(["fetching redis:7", *shares, "1.00 s  redis answers"])
    app = make_app(gateway)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(lambda: isinstance(app.screen, StartScreen))
        screen = app.screen
        assert isinstance(screen, StartScreen)
        await pilot.press("d")
        await until(lambda: "No Docker is running here." in str(screen.message.content))
        assert screen.steps.text.splitlines() == [shares[-1], "1.00 s  redis answers"]
        await pilot.press("s")
        await until(lambda: gateway.runtimes == ["docker", ""])
