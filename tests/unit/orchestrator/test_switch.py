"""What a move of the data looks at before it starts anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.config import DockerSettings, Settings
from appliance.errors import RuntimeUnavailable
from appliance.orchestrator import switch
from appliance.orchestrator.lock import make_folders
from appliance.orchestrator.runtimes.docker.engine import DockerEngine
from appliance.orchestrator.state import State, read_state, write_state
from appliance.orchestrator.steps import News
from appliance.paths import DataDir


async def test_without_docker_nothing_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []

    async def connect(_address: str) -> DockerEngine:
        raise RuntimeUnavailable("No Docker is running here.")

    async def start(runtime: object, *_: object) -> None:
        started.append(str(runtime))

    monkeypatch.setattr(DockerEngine, "connect", connect)
    monkeypatch.setattr(switch, "_start", start)
    data_dir = DataDir(tmp_path / "data")
    make_folders(data_dir)
    before = State(ports={"web": 3000})
    write_state(data_dir, before)
    told: list[News] = []
    settings = Settings(data_dir=data_dir.root, docker=DockerSettings(host=f"unix://{tmp_path}/none.sock"))
    with pytest.raises(RuntimeUnavailable, match="No Docker"):
        await switch.switch_runtime(settings, "docker", told.append)
    assert (started, told) == ([], [])
    assert read_state(data_dir) == before
