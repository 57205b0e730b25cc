"""`up --runtime docker` where Docker is missing, down, closed to this user: one sentence, and no traceback.

None of these needs an engine.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.appliance_process import Appliance, clean_environment, new_home


def up(host: str, home: Path) -> str:
    """What `up` says on stderr; it must fail, in one line."""
    environ = clean_environment(home) | {"LANGFUSE_LOCAL_RUNTIME": "docker", "DOCKER_HOST": host}
    done = Appliance(home=home, environ=environ).run("up", "--detach", timeout_s=60)
    assert done.returncode == 1, done.stdout
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    return done.stderr


def test_docker_is_missing() -> None:
    with new_home() as home:
        said = up(f"unix://{home}/nothing.sock", home)
    assert said.startswith("Error: No Docker is running here") and "--runtime embedded" in said


def test_the_daemon_is_down() -> None:
    with new_home() as home, socket.socket(socket.AF_UNIX) as left:
        left.bind(str(home / "docker.sock"))
        said = up(f"unix://{home}/docker.sock", home)
    assert "does not answer" in said and "Start Docker" in said


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user who may not")
def test_this_user_may_not_use_it() -> None:
    with new_home() as home, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(home / "docker.sock"))
        (home / "docker.sock").chmod(0o600)
        listener.listen()
        program = (
            "import asyncio, concurrent.futures.thread, os\n"
            "from appliance.errors import RuntimeUnavailable\n"
            "from appliance.orchestrator.runtimes.docker.engine import DockerEngine\n"
            "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
            f"try: asyncio.run(DockerEngine.connect('unix://{home}/docker.sock'))\n"
            "except RuntimeUnavailable as error: print(error)"
        )
        environ = clean_environment(home)
        done = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("This user may not use Docker"), done.stderr
    assert "group docker" in done.stdout


def test_an_engine_elsewhere_is_refused() -> None:
    with new_home() as home:
        said = up("tcp://engine.example.com:2375", home)
    assert "needs an engine on this machine" in said
