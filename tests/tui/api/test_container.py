"""The services screen in a container of the compose files: what `status` says of them is shown."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from appliance.errors import RemoteError
from tests.tui.conftest import MakeApp, Until
from tui.api import container
from tui.api.container import ContainerGateway
from tui.api.sample import SampleGateway
from tui.model.records import Server
from tui.screens.services import ServicesScreen

SERVER = Server("http://web.test:3000", "pk", "sk", local=False)
STATUS = """{"healthy": false, "url": "http://web.test:3000", "runtime": "external", "data_dir": "/data", "services": [
    {"name": "web", "state": "external", "healthy": true, "address": "web.test:3000"},
    {"name": "worker", "state": "external", "healthy": false, "reason": "No worker gives a sign of life."}
]}"""


class Contained(SampleGateway, ContainerGateway):
    """Sample data; services as in a container."""

    services_every_s = ContainerGateway.services_every_s
    status = ContainerGateway.status
    logs = ContainerGateway.logs
    control = ContainerGateway.control


def prints(monkeypatch: pytest.MonkeyPatch, folder: Path, text: str, said: str = "") -> None:
    """Puts a program that prints and says this, and ends with 1, in the place of our own commands."""
    program = folder / "status.py"
    program.write_text(f"import sys; print({text!r}); sys.exit({said!r})")
    monkeypatch.setattr(container, "own_command", lambda *_: (sys.executable, str(program)))


async def test_the_services_are_those_that_answer(
    make_app: MakeApp, until: Until, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    prints(monkeypatch, tmp_path, STATUS, "ends with 1, as something is not healthy")
    app = make_app(Contained(10))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("5")
        await until(lambda: isinstance(app.screen, ServicesScreen) and app.screen.table.count == 2)
        screen = app.screen
        assert isinstance(screen, ServicesScreen)
        await until(lambda: "docker compose logs" in screen.log_pane.text)
        assert "memory" not in str(screen.facts.content)
        await pilot.press("R")
        await until(lambda: "docker compose restart" in str(app.problem))


async def test_what_status_says_instead_is_the_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    prints(monkeypatch, tmp_path, "", "Something before.\nRedis is not there.")
    with pytest.raises(RemoteError, match="not known: Redis is not there"):
        await ContainerGateway(SERVER).status()
