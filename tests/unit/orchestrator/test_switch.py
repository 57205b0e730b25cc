"""What a move of the data looks at before it starts anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.config import DockerSettings, Settings
from appliance.data_dir.lock import make_folders
from appliance.data_dir.secrets import Secrets
from appliance.data_dir.state import State, read_state, write_state
from appliance.errors import PortTaken, RuntimeUnavailable
from appliance.orchestrator import switch
from appliance.orchestrator.progress import ProgressEvent
from appliance.orchestrator.runtimes.docker.engine import DockerEngine
from appliance.paths import DataDir
from tests.unit.orchestrator.fakes import FakeService


async def test_without_docker_nothing_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []

    async def connect(_address: str) -> DockerEngine:
        raise RuntimeUnavailable("No Docker is running here.")

    async def start(self: object, _tell: object) -> None:
        started.append(str(self))

    monkeypatch.setattr(DockerEngine, "connect", connect)
    monkeypatch.setattr(switch._Stores, "start", start)
    data_dir = DataDir(tmp_path / "data")
    make_folders(data_dir)
    before = State(ports={"web": 3000})
    write_state(data_dir, before)
    events: list[ProgressEvent] = []
    settings = Settings(data_dir=data_dir.root, docker=DockerSettings(host=f"unix://{tmp_path}/none.sock"))
    with pytest.raises(RuntimeUnavailable, match="No Docker"):
        await switch.switch_runtime(settings, "docker", events.append)
    assert (started, events) == ([], [])
    assert read_state(data_dir) == before


@dataclass
class OneStore:
    """A runtime of one store."""

    service: FakeService
    name: str = "embedded"
    shared_ports: Sequence[int] = ()
    is_closed: bool = False

    @property
    def stores(self) -> list[FakeService]:
        return [self.service]

    async def prepare(self, _tell: object) -> None:
        """Nothing to fetch."""

    def connect(self, settings: Settings) -> Settings:
        return settings

    async def close(self) -> None:
        self.is_closed = True


async def test_a_port_that_gets_lost_is_changed_as_by_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[OneStore] = []
    avoided: list[set[int]] = []

    async def open_runtime(_settings: object, state: State, *_: object, avoid: set[int]) -> OneStore:
        avoided.append(set(avoid))
        state.ports["redis"] = 16379 + len(made)
        refusal = PortTaken("Docker cannot start redis: port 16379 is taken.", 16379) if not made else None
        made.append(OneStore(FakeService(refusal=refusal)))
        return made[-1]

    async def prepare(_settings: object, _report: object) -> None:
        """There are no tables."""

    monkeypatch.setattr(switch, "open_runtime", open_runtime)
    monkeypatch.setattr("appliance.storage.setup.prepare", prepare)
    monkeypatch.setattr("appliance.orchestrator.host.ports.is_free", lambda _host, _port: True)
    settings, events = Settings(data_dir=tmp_path), list[ProgressEvent]()
    async with switch._running(settings, State(), DataDir(tmp_path), Secrets(), events.append) as running:
        assert running is settings
        assert avoided == [set(), {16379}]
        assert not made[1].is_closed
    assert all(runtime.is_closed for runtime in made)
    assert [handle.stops for handle in made[1].service.handles] == [1]


async def test_another_failure_is_not_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[OneStore] = []

    async def open_runtime(_settings: object, state: State, *_: object, avoid: set[int]) -> OneStore:
        state.ports["redis"] = 16379
        made.append(OneStore(FakeService(refusal=RuntimeUnavailable("No binary."))))
        return made[-1]

    monkeypatch.setattr(switch, "open_runtime", open_runtime)
    monkeypatch.setattr("appliance.orchestrator.host.ports.is_free", lambda _host, _port: True)
    with pytest.raises(RuntimeUnavailable, match="No binary"):
        async with switch._running(
            Settings(data_dir=tmp_path), State(), DataDir(tmp_path), Secrets(), lambda _news: None
        ):
            pass
    assert len(made) == 1
