"""Which engine is used."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.errors import RuntimeUnavailable
from appliance.orchestrator.runtimes.docker.sockets import engine_address


def test_docker_host_wins(tmp_path: Path) -> None:
    podman = "unix:///run/user/1000/podman/podman.sock"
    assert engine_address(podman, [tmp_path]) == podman
    assert engine_address("tcp://127.0.0.1:2375", []) == "tcp://127.0.0.1:2375"


def test_the_first_socket_that_exists(tmp_path: Path) -> None:
    rootless = tmp_path / "docker.sock"
    rootless.touch()
    assert engine_address("", [tmp_path / "missing", rootless]) == f"unix://{rootless}"
    assert engine_address("", []) == "unix:///var/run/docker.sock"


@pytest.mark.parametrize("host", ["tcp://build.example.com:2376", "ssh://me@build.example.com"])
def test_another_machine_is_refused(host: str) -> None:
    with pytest.raises(RuntimeUnavailable, match="on this machine"):
        engine_address(host, [])
