"""Stock OpenTelemetry exporters, over HTTP and gRPC, with nothing but the standard variables."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.orchestrator.host.ports import choose_port
from tests.acceptance.appliance_process import Appliance, eventually, new_appliance

PROGRAM = Path(__file__).parent / "programs" / "otel_plain.py"
FIRST_PORT = 24317


@pytest.fixture(scope="module")
def with_grpc() -> Iterator[tuple[Appliance, int]]:
    port = choose_port("127.0.0.1", [FIRST_PORT], set())
    with new_appliance() as appliance:
        appliance.up("--otlp-grpc-port", str(port))
        yield appliance, port


def send(appliance: Appliance, protocol: str, endpoint: str, **more: str) -> str:
    """Runs the program with two variables (and `more`) and returns the id of its trace."""
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_EXPORTER_OTLP_HEADERS": appliance.settings["OTEL_EXPORTER_OTLP_HEADERS"],
        **more,
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "LANGFUSE_"))}
    done = subprocess.run(
        [sys.executable, str(PROGRAM), protocol, f"plain-{protocol}"],
        env=kept | variables,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "failed" not in done.stderr.lower(), done.stderr
    return done.stdout.strip()


def read(appliance: Appliance, trace_id: str) -> dict[str, Any]:
    with appliance.http() as http:
        answer = eventually(
            lambda: http.get(f"/api/public/traces/{trace_id}"), until=lambda found: found.status_code == 200
        )
    found: dict[str, Any] = answer.json()
    return found


def test_http_needs_two_variables(with_grpc: tuple[Appliance, int]) -> None:
    appliance, _ = with_grpc
    assert appliance.settings["OTEL_EXPORTER_OTLP_ENDPOINT"] == appliance.url
    trace = read(appliance, send(appliance, "http", appliance.url, OTEL_EXPORTER_OTLP_COMPRESSION="gzip"))
    assert {entry["name"] for entry in trace["observations"]} == {"plain-http", "step"}


@pytest.mark.parametrize("more", [{}, {"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"}], ids=["plain", "gzip"])
def test_grpc_needs_two_variables(with_grpc: tuple[Appliance, int], more: dict[str, str]) -> None:
    appliance, port = with_grpc
    endpoint = appliance.settings["LANGFUSE_LOCAL_OTLP_GRPC_ENDPOINT"]
    assert endpoint == f"http://localhost:{port}" == appliance.status()["otlp_grpc"].replace("127.0.0.1", "localhost")
    trace = read(appliance, send(appliance, "grpc", endpoint, **more))
    assert {(entry["name"], entry["type"]) for entry in trace["observations"]} == {
        ("plain-grpc", "GENERATION"),
        ("step", "SPAN"),
    }


def test_what_grpc_answered_survives_kill_9(with_grpc: tuple[Appliance, int]) -> None:
    appliance, port = with_grpc
    for pid in appliance.pids("worker"):
        os.kill(pid, signal.SIGKILL)
    trace_id = send(appliance, "grpc", f"http://localhost:{port}")
    killed = [*appliance.pids("web"), *appliance.pids("redis")]
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    eventually(appliance.status, until=lambda status: status.get("healthy") is True, within_s=60)
    assert len(read(appliance, trace_id)["observations"]) == 2
    assert len(read(appliance, send(appliance, "grpc", f"http://localhost:{port}"))["observations"]) == 2


def test_a_taken_port_is_one_sentence(with_grpc: tuple[Appliance, int]) -> None:
    _, port = with_grpc
    with new_appliance() as another:
        done = another.run("up", "--detach", "--otlp-grpc-port", str(port))
    assert done.returncode == 1
    assert f"Port {port} for OTLP over gRPC is taken" in done.stderr
    assert "Traceback" not in done.stderr
