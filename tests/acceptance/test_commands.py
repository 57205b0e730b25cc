"""The reading commands on a real appliance, as scripts use them."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import count

import pytest

from tests.acceptance.appliance_process import Appliance, eventually
from tests.acceptance.exporter import SPANS_PER_TRACE, make_request, send

NAME = "commands-trace"
COMMANDS = (
    *("up", "down", "status", "logs", "env", "tui", "web", "worker", "migrate", "doctor"),
    *("traces", "trace", "sessions", "observations", "scores", "prompts", "datasets", "metrics", "tail"),
)


@pytest.fixture(scope="module")
def trace_id(appliance: Appliance) -> Iterator[str]:
    """A trace that the appliance holds."""
    request = make_request(NAME, 0, traces=1)
    [identity] = request.span_ids
    with appliance.http() as http:
        send(http, request)
        eventually(lambda: http.get(f"/api/public/traces/{identity}").status_code == 200)
        http.post("/api/public/scores", json={"traceId": identity, "name": NAME, "value": 0.5}).raise_for_status()
        eventually(lambda: http.get("/api/public/v2/scores", params={"name": NAME}).json()["data"])
    yield identity


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(appliance: Appliance, command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "appliance", command, "--help"], env=appliance.environ, capture_output=True, text=True
    )
    assert done.returncode == 0
    assert f"langfuse-local {command}" in done.stdout


@pytest.mark.parametrize("arguments", [["fly"], ["up", "--runtime", "cloud"], ["traces", "--limit", "many"], ["trace"]])
def test_wrong_usage_is_exit_code_2(appliance: Appliance, arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "appliance", *arguments], env=appliance.environ, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stdout == "" and "Traceback" not in done.stderr


def test_traces_filters_like_the_query_bar(appliance: Appliance, trace_id: str) -> None:
    found = json.loads(appliance.run("traces", f"name:{NAME}", "latency<10s", "--json").stdout)
    assert [row["id"] for row in found] == [trace_id]
    assert json.loads(appliance.run("traces", f"name:{NAME}", "cost>100", "--json").stdout) == []
    assert appliance.run("traces", "cost>cheap").returncode != 0


def test_a_table_has_one_line_per_row(appliance: Appliance, trace_id: str) -> None:
    lines = appliance.run("traces", f"name:{NAME}").stdout.splitlines()
    assert len(lines) == 2
    assert trace_id in lines[1] and NAME in lines[1]


def test_a_trace_is_a_tree_or_json(appliance: Appliance, trace_id: str) -> None:
    tree = appliance.run("trace", trace_id).stdout
    assert all(f"step-{number}" in tree for number in range(SPANS_PER_TRACE - 1))
    assert len(json.loads(appliance.run("trace", trace_id, "--json").stdout)["observations"]) == SPANS_PER_TRACE
    missing = appliance.run("trace", "no-such-trace")
    assert missing.returncode == 1
    assert "no-such-trace" in missing.stderr and "Traceback" not in missing.stderr


def test_every_list_reads(appliance: Appliance, trace_id: str) -> None:
    observations = appliance.run("observations", "type:GENERATION", "--trace", trace_id, "--jsonl").stdout.splitlines()
    assert {json.loads(line)["type"] for line in observations} == {"GENERATION"}
    [score] = json.loads(appliance.run("scores", "--name", NAME, "--json").stdout)
    assert score["traceId"] == trace_id
    sessions = json.loads(appliance.run("sessions", "--limit", "0", "--json").stdout)
    assert f"{NAME}-{trace_id[:2]}" in [session["id"] for session in sessions]
    for command in ("prompts", "datasets", "metrics"):
        done = appliance.run(command, "--json")
        assert done.returncode == 0, done.stderr
        assert isinstance(json.loads(done.stdout), list)


def test_tail_prints_traces_as_they_arrive(appliance: Appliance) -> None:
    process = subprocess.Popen(
        appliance.command("tail", "name:tailed", "--jsonl"), env=appliance.environ, stdout=subprocess.PIPE, text=True
    )
    lines: list[str] = []
    assert process.stdout is not None
    reader = threading.Thread(target=lambda: lines.extend(iter(process.stdout.readline, "")), daemon=True)  # type: ignore[union-attr]
    reader.start()
    try:
        with appliance.http() as http:
            requests = (make_request(name, number, traces=1) for number in count() for name in ("tailed", "other"))

            def one_more() -> list[str]:
                send(http, next(requests))
                return lines

            eventually(one_more, within_s=30)  # the command may have to start inside a container
    finally:
        process.terminate()
        process.wait(timeout=10)
        reader.join(timeout=10)
        process.stdout.close()
    assert {json.loads(line)["name"] for line in lines} == {"tailed"}
    assert process.returncode is not None
