"""Both compose files on a real engine: built, started, used through nginx, broken, and stopped."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from appliance.config import DockerSettings
from appliance.orchestrator.ports import choose_port
from appliance.orchestrator.runtimes.docker.compose_env import env_text
from appliance.orchestrator.secrets import Secrets, generate_secrets
from tests.integration.docker.conftest import ensure_images
from tests.integration.docker.standins.images import tag_of

ROOT = Path(__file__).parents[3]
_SOURCES = ("appliance", "tui", "compose", "pyproject.toml", "README.md", "LICENSE", ".dockerignore")
_OFFLINE = re.compile(r"name resolution|NewConnectionError|no such host|Network is unreachable", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Stack:
    """A compose project in a copy of the source tree."""

    folder: Path
    file: str
    project: str
    port: int
    secrets: Secrets
    overlays: tuple[str, ...] = ()

    def compose(self, *arguments: str, check: bool = True) -> str:
        files = [word for name in (self.file, *self.overlays) for word in ("--file", name)]
        done = subprocess.run(
            ["docker", "compose", "--project-name", self.project, *files, *arguments],
            cwd=self.folder,
            env={**os.environ, **_images(), "HTTPS_PORT": str(self.port)},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"docker compose {' '.join(arguments)}: {done.stderr[-2000:]}\n{done.stdout[-2000:]}")
        return done.stdout + done.stderr

    def up(self) -> None:
        self.compose("up", "--detach", "--wait", "--pull", "never", "--no-build")

    def client(self) -> httpx.Client:
        """Trusts the certificate that nginx made, and nothing else."""
        certificate = ssl.get_server_certificate(("127.0.0.1", self.port))
        return httpx.Client(
            base_url=f"https://localhost:{self.port}",
            auth=(self.secrets.public_key, self.secrets.secret_key),
            verify=ssl.create_default_context(cadata=certificate),
            timeout=20,
            trust_env=False,
        )


def _images() -> dict[str, str]:
    return {
        "LANGFUSE_LOCAL_DOCKER_POSTGRES_IMAGE": tag_of("postgres"),
        "LANGFUSE_LOCAL_DOCKER_REDIS_IMAGE": tag_of("redis"),
        "LANGFUSE_LOCAL_DOCKER_CLICKHOUSE_IMAGE": tag_of("clickhouse"),
        "PYTHON_IMAGE": tag_of("python"),
        "NGINX_IMAGE": tag_of("nginx"),
        "LANGFUSE_LOCAL_IMAGE": tag_of("application"),
        "LANGFUSE_LOCAL_NGINX_IMAGE": tag_of("application-nginx"),
    }


@pytest.fixture(scope="module")
def stack(images: DockerSettings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """docker-compose.yml, running."""
    try:
        subprocess.run(["docker", "compose", "version"], check=True, capture_output=True, timeout=30)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("docker compose (version 2) is not installed")
    ensure_images(("python", "nginx"))
    tree = tmp_path_factory.mktemp("tree")
    for name in _SOURCES:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tree / name)
    secrets = generate_secrets()
    (tree / "compose" / ".env").write_text(env_text(secrets))
    port = choose_port("127.0.0.1", [28443], set())
    made = Stack(tree / "compose", "docker-compose.yml", f"langfuse-test-{os.getpid()}", port, secrets)
    said = made.compose("build", "--quiet", check=False)
    if _OFFLINE.search(said):
        pytest.skip("the image cannot be built without a network")
    try:
        made.up()
        yield made
    finally:
        made.compose("down", "--volumes", "--timeout", "5", check=False)


def test_a_trace_goes_in_and_comes_out(stack: Stack) -> None:
    with stack.client() as client:
        assert client.get("/api/public/health").json()["status"] == "OK"
        send_trace(client, "first")
        assert wait_for_trace(client, "first")["name"] == "first"


def test_http2_is_spoken(stack: Stack) -> None:
    context = ssl.create_default_context(cadata=ssl.get_server_certificate(("127.0.0.1", stack.port)))
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("127.0.0.1", stack.port), 5) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        assert secure.selected_alpn_protocol() == "h2"
        assert secure.version() == "TLSv1.3"


def test_live_events_are_not_held_back(stack: Stack) -> None:
    with (
        stack.client() as client,
        stack.client() as sender,
        client.stream("GET", "/api/local/live", timeout=20) as live,
    ):
        lines = live.iter_lines()
        next(lines)
        send_trace(sender, "seen-live")
        assert next(line for line in lines if line.startswith("data:")) == 'data: ["seen-live"]'


def test_paths_and_errors_pass_through(stack: Stack) -> None:
    with stack.client() as client:
        answer = client.get("/api/public/v2/prompts/folder%2Fname")
        assert (answer.status_code, "folder/name" in answer.text) == (404, True)
        too_large = client.post("/api/public/ingestion", content=b"x" * (65 * 1024 * 1024))
        assert too_large.status_code == 413 and too_large.json()["error"] == "PayloadTooLargeError"


def test_without_web_the_answer_is_503(stack: Stack) -> None:
    stack.compose("stop", "web")
    with stack.client() as client:
        answer = client.get("/api/public/projects")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    stack.up()
    with stack.client() as client:
        assert client.get("/api/public/projects").status_code == 200


def test_a_second_worker_shares_the_work(stack: Stack) -> None:
    stack.compose("up", "--detach", "--wait", "--pull", "never", "--no-build", "--scale", "worker=2")
    stack.compose("kill", "--signal", "KILL", "worker")
    with stack.client() as client:
        send_trace(client, "while-killed")
    stack.up()
    with stack.client() as client:
        assert wait_for_trace(client, "while-killed", timeout_s=45)


def test_data_and_certificate_stay_over_down_and_up(stack: Stack) -> None:
    before = ssl.get_server_certificate(("127.0.0.1", stack.port))
    with stack.client() as client:
        send_trace(client, "kept")
        wait_for_trace(client, "kept")
    stack.compose("down")
    stack.up()
    assert ssl.get_server_certificate(("127.0.0.1", stack.port)) == before
    with stack.client() as client:
        assert wait_for_trace(client, "kept")


def test_containers_run_as_nobody_in_particular(stack: Stack) -> None:
    for service in ("postgres", "redis", "clickhouse", "web", "worker", "nginx"):
        said = stack.compose("exec", "-T", service, "sh", "-c", "id -u; touch /forbidden", check=False)
        assert said.split()[0] not in ("0", ""), service
        assert "Read-only file system" in said, service


def test_the_external_file_on_the_same_stores(stack: Stack) -> None:
    """Its stores are those of the first stack, reached by a network of somebody else."""
    overlay = {
        "services": {name: {"networks": ["public", "elsewhere"]} for name in ("migrate", "web", "worker")},
        "networks": {"elsewhere": {"external": True, "name": f"{stack.project}_stores"}},
    }
    (stack.folder / "elsewhere.yml").write_text(json.dumps(overlay))
    known = stack.secrets
    own = (stack.folder / ".env").read_text()
    (stack.folder / ".env").write_text(
        f"{own}\nDATABASE_URL=postgresql://langfuse:{known.postgres_password}@postgres:5432/langfuse\n"
        f"REDIS_CONNECTION_STRING=redis://:{known.redis_password}@redis:6379/0\n"
        "CLICKHOUSE_URL=http://clickhouse:8123\nCLICKHOUSE_USER=langfuse\nCLICKHOUSE_DB=langfuse\n"
    )
    port = choose_port("127.0.0.1", [28543], set())
    project = f"{stack.project}-external"
    external = Stack(stack.folder, "docker-compose.external.yml", project, port, known, ("elsewhere.yml",))
    try:
        external.up()
        with external.client() as client:
            send_trace(client, "by-the-other-door")
            assert wait_for_trace(client, "by-the-other-door")
        with stack.client() as client:
            assert wait_for_trace(client, "by-the-other-door")
    finally:
        external.compose("down", "--volumes", "--timeout", "5", check=False)
        (stack.folder / ".env").write_text(own)


def send_trace(client: httpx.Client, name: str) -> None:
    event = {
        "id": f"event-{name}",
        "type": "trace-create",
        "timestamp": "2026-01-01T00:00:00Z",
        "body": {"id": name, "name": name},
    }
    answer = client.post(
        "/api/public/ingestion",
        content=gzip.compress(json.dumps({"batch": [event]}).encode()),
        headers={"Content-Encoding": "gzip", "Content-Type": "application/json"},
    )
    assert answer.status_code == 207, answer.text


def wait_for_trace(client: httpx.Client, name: str, timeout_s: float = 15) -> dict[str, object]:
    until = time.monotonic() + timeout_s
    while True:
        answer = client.get(f"/api/public/traces/{name}")
        if answer.status_code == 200 or time.monotonic() > until:
            found: dict[str, object] = answer.json()
            assert answer.status_code == 200, found
            return found
        time.sleep(0.1)
