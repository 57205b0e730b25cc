"""Both compose files on a real engine: built, started, used through nginx, broken, and stopped."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from appliance.data_dir.secrets import Secrets
from tests.acceptance.appliance_process import eventually
from tests.acceptance.terminal import open_terminal
from tests.integration.docker.stack import Stack, beside, by_addresses, by_parts, external, fronted, running_stack
from tests.integration.docker.standins.names import STORES


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """docker-compose.yml, running."""
    with running_stack(tmp_path_factory.mktemp("tree")) as made:
        yield made


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
        assert "data: []" in (next(lines), next(lines))
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


def test_no_secret_can_be_inspected(stack: Stack) -> None:
    known = stack.secrets
    containers = stack.compose("ps", "--all", "--quiet").split()
    seen = subprocess.run(["docker", "inspect", *containers], capture_output=True, text=True, check=True).stdout
    for secret in (known.postgres_password, known.redis_password, known.clickhouse_password, known.salt):
        assert secret not in seen
    assert known.secret_key not in seen and known.encryption_key not in seen


@pytest.mark.skipif(not shutil.which("tmux"), reason="tmux is not installed")
def test_the_terminal_ui_runs_inside_the_container_of_web(stack: Stack, tmp_path: Path) -> None:
    with stack.client() as client:
        send_trace(client, "seen-inside")
        wait_for_trace(client, "seen-inside")
    command = stack.command("exec", "web", "langfuse-local", "tui")
    environ = {**os.environ, **stack.environ}
    with open_terminal(command, environ, columns=120, rows=40, folder=tmp_path) as terminal:
        terminal.see("seen-inside", within_s=30)
        terminal.press("5")
        terminal.see("clickhouse:8123", within_s=30)
        terminal.press("C-q")
        eventually(terminal.is_over)


def test_commands_inside_the_container_of_web_tell_of_all(stack: Stack) -> None:
    def said(*words: str, check: bool = True) -> str:
        return stack.compose("exec", "-T", "web", "langfuse-local", *words, check=check)

    with stack.client() as client:
        send_trace(client, "counted")
    found = json.loads(said("status", "--json"))
    assert found["healthy"] and found["url"] == "https://localhost:8443"
    assert {service["name"].partition("-")[0] for service in found["services"]} == {*STORES, "web", "worker"}
    assert found["receipts"]
    assert "LANGFUSE_BASE_URL=https://localhost:8443" in said("env")
    assert "docker compose logs" in said("logs", check=False)
    assert "fail" not in said("doctor")
    stack.compose("stop", "worker")
    assert "No worker gives a sign of life." in said("status", check=False)
    stack.up()


@pytest.mark.parametrize("form", [by_addresses, by_parts])
def test_the_external_file_on_the_same_stores(stack: Stack, form: Callable[[Secrets], str]) -> None:
    with beside(stack, form(stack.secrets)) as made:
        with made.client() as client:
            send_trace(client, form.__name__)
            assert wait_for_trace(client, form.__name__)
        with stack.client() as client:
            assert wait_for_trace(client, form.__name__)
        seen = made.compose("exec", "-T", "worker", "cat", "/store-certificates/ca.pem")
        assert "an authority" in seen


def test_stores_that_ask_for_client_certificates(stack: Stack) -> None:
    with fronted(stack) as made, made.client() as client:
        send_trace(client, "certified")
        assert wait_for_trace(client, "certified")
        assert '"healthy": true' in made.compose("exec", "-T", "web", "langfuse-local", "status", "--json")


def test_what_is_missing_is_told_by_migrate(stack: Stack) -> None:
    with external(stack, "") as made:
        said = made.compose("run", "--rm", "--no-deps", "-T", "migrate", check=False)
    assert "There is no address of Redis." in said and "Traceback" not in said


def test_between_single_quotes_a_password_stays_as_it_is(stack: Stack) -> None:
    with external(stack, "DATABASE_PASSWORD='pa$$word$HOME${x}'\n") as made:
        program = "import os; print(os.environ['DATABASE_PASSWORD'])"
        said = made.compose("run", "--rm", "--no-deps", "-T", "--entrypoint", "python", "migrate", "-c", program)
    assert "pa$$word$HOME${x}\n" in said


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
