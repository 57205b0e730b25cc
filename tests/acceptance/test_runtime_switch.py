"""A user moves to Docker and back: nothing is lost, not even what still waited in the queue."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator

import pytest

from tests.acceptance.appliance_process import RUNTIME, Appliance, eventually, new_appliance
from tests.acceptance.exporter import HEADERS, PATH, make_request
from tests.integration.docker.engine_here import ensure_images, require_engine
from tests.integration.docker.standins.names import STORES, store_image_environ


@pytest.fixture
def idle() -> Iterator[Appliance]:
    """An appliance that is not up, and knows stand-ins of the stores' images."""
    if RUNTIME != "embedded":
        pytest.skip("it begins on the embedded runtime")
    require_engine()
    ensure_images(STORES)
    with new_appliance() as appliance:
        appliance.environ |= store_image_environ()
        yield appliance


def test_everything_moves_to_docker_and_back(idle: Appliance) -> None:
    idle.up()
    requests = [make_request("move", number, traces=5) for number in range(4)]
    with idle.http() as http:
        for request in requests[:3]:
            assert http.post(PATH, content=request.body, headers=HEADERS).status_code == 200
        wanted = {trace for request in requests[:3] for trace in request.span_ids}
        eventually(lambda: traces_of(idle) == wanted)
        assert http.post("/api/public/v2/prompts", json={"name": "p", "prompt": "x", "type": "text"}).is_success
        for pid in idle.pids("worker"):
            os.kill(pid, signal.SIGSTOP)  # what comes now waits in the queue
        assert http.post(PATH, content=requests[3].body, headers=HEADERS).status_code == 200
        os.kill(json.loads((idle.data_dir / "state.json").read_text())["supervisor"]["pid"], signal.SIGKILL)
    wanted |= set(requests[3].span_ids)
    keys = idle.keys

    moved = idle.run("runtime", "switch", "docker")
    assert moved.returncode == 0, moved.stderr
    assert "copied and compared" in moved.stderr
    idle.up()
    assert idle.status()["runtime"] == "docker"
    assert idle.keys == keys
    eventually(lambda: traces_of(idle) == wanted)
    with idle.http() as http:
        assert http.get("/api/public/v2/prompts/p", params={"label": "latest"}).json()["prompt"] == "x"

    refused = idle.run("runtime", "switch", "embedded")
    assert refused.returncode == 1 and "langfuse-local down" in refused.stderr
    idle.down()
    assert "runs on docker" in idle.run("runtime", "forget", "docker", "--yes").stderr
    refused = idle.run("runtime", "switch", "embedded")
    assert refused.returncode == 1 and "--replace" in refused.stderr
    assert idle.run("runtime", "switch", "embedded", "--replace").returncode == 0
    assert idle.run("runtime", "forget", "docker", "--yes").returncode == 0
    idle.up()
    assert idle.status()["runtime"] == "embedded"
    assert traces_of(idle) == wanted


def traces_of(appliance: Appliance) -> set[str]:
    """The ids of all traces."""
    with appliance.http() as http:
        return {trace["id"] for trace in http.get("/api/public/traces", params={"limit": 100}).json()["data"]}
