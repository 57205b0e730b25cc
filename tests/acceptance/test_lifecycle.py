"""Starting, stopping and the ways in which both go wrong."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator

import httpx
import psutil
import pytest

from appliance.orchestrator.runtimes.docker.plans import IDENTITY_FILE
from tests.acceptance.appliance_process import (
    RUNTIME,
    UP_TIMEOUT_S,
    Appliance,
    eventually,
    new_appliance,
    stale_processes_of,
)

STOP_TIMEOUT_S = 60
"""A container that is just being made is stopped only then."""


@pytest.fixture
def idle() -> Iterator[Appliance]:
    """An appliance that is not up."""
    with new_appliance() as appliance:
        yield appliance


def test_up_down_and_up_again_keeps_data_and_keys(idle: Appliance) -> None:
    idle.up()
    first = idle.settings
    with idle.http() as http:
        event = {"id": "e1", "type": "trace-create", "timestamp": "2026-01-01T00:00:00Z", "body": {"id": "kept"}}
        assert http.post("/api/public/ingestion", json={"batch": [event]}).status_code == 207
        eventually(lambda: http.get("/api/public/traces/kept").status_code == 200)
    idle.down()
    eventually(lambda: stale_processes_of(idle.home), until=lambda left: left == [], within_s=1)
    assert idle.run("status").returncode == 1
    idle.up()
    assert idle.keys == (first["LANGFUSE_PUBLIC_KEY"], first["LANGFUSE_SECRET_KEY"])
    with idle.http() as http:
        assert http.get("/api/public/traces/kept").json()["id"] == "kept"
    secrets = idle.data_dir / "secrets.json"
    assert secrets.stat().st_mode & 0o777 == 0o600
    secret = idle.keys[1]
    assert not any(secret in file.read_text() for file in (idle.data_dir / "logs").glob("*.log*"))


@pytest.mark.local
def test_status_names_every_service(appliance: Appliance) -> None:
    status = appliance.status()
    assert status["healthy"] is True
    assert status["url"] == appliance.url
    assert status["runtime"] == RUNTIME
    assert status["data_dir"] == str(appliance.data_dir)
    assert {"postgres", "redis", "clickhouse", "web", "worker"} == {entry["name"] for entry in status["services"]}
    for entry in status["services"]:
        assert entry["state"] == "running" and entry["healthy"] and entry["reason"] is None
        pids = appliance.pids(entry["name"])
        assert pids and all(psutil.pid_exists(pid) for pid in pids)
        assert entry["rss_bytes"] > 0 and entry["uptime_s"] > 0
    assert status["queue"]["dead_letters"] == 0
    assert status["disk"]["free_bytes"] > 0
    assert appliance.run("status").returncode == 0


@pytest.mark.local
def test_a_second_up_says_that_it_runs_and_where(appliance: Appliance) -> None:
    done = appliance.run("up", "--detach")
    assert appliance.url in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert appliance.status()["healthy"] is True


def test_a_second_up_waits_for_the_first_one_that_is_starting(idle: Appliance) -> None:
    first = subprocess.Popen(idle.command("up", "--detach"), env=idle.environ, cwd=idle.home, stdout=subprocess.DEVNULL)
    eventually((idle.data_dir / "state.json").exists)
    assert '"url"' not in (idle.data_dir / "state.json").read_text()
    second = idle.run("up", "--detach")
    assert (second.returncode, first.wait()) == (0, 0)
    assert idle.status()["url"] in second.stdout
    idle.down()


def test_it_stops_even_when_its_data_directory_is_gone(idle: Appliance) -> None:
    idle.up()
    supervisor = json.loads((idle.data_dir / "state.json").read_text())["supervisor"]["pid"]
    names = [name for name in (IDENTITY_FILE, "secrets.json") if (idle.data_dir / name).exists()]
    kept = {name: (idle.data_dir / name).read_bytes() for name in names}
    shutil.rmtree(idle.data_dir, ignore_errors=True)  # a store may write once more meanwhile
    os.kill(supervisor, signal.SIGTERM)
    eventually(lambda: stale_processes_of(idle.home), until=lambda left: left == [], within_s=20)
    if IDENTITY_FILE in kept:  # by it the containers' volumes are found, and removed with the appliance
        idle.data_dir.mkdir(exist_ok=True)
        for name, content in kept.items():
            (idle.data_dir / name).write_bytes(content)
        idle.remove()
        assert not (idle.data_dir / IDENTITY_FILE).exists()


def test_no_process_outlives_a_killed_supervisor(idle: Appliance) -> None:
    idle.up()
    children = {pid for entry in idle.status()["services"] for pid in idle.pids(entry["name"])}
    supervisor = json.loads((idle.data_dir / "state.json").read_text())["supervisor"]["pid"]
    assert len(children) >= 5 and supervisor not in children
    os.kill(supervisor, signal.SIGKILL)
    idle.up()
    assert idle.status()["healthy"] is True
    now = {pid for entry in idle.status()["services"] for pid in idle.pids(entry["name"])}
    assert not any(psutil.pid_exists(pid) for pid in children - now)
    idle.down()
    eventually(lambda: stale_processes_of(idle.home), until=lambda left: left == [], within_s=1)


def test_down_ends_what_a_killed_supervisor_left(idle: Appliance) -> None:
    idle.up()
    os.kill(json.loads((idle.data_dir / "state.json").read_text())["supervisor"]["pid"], signal.SIGKILL)
    idle.down()
    eventually(lambda: stale_processes_of(idle.home), until=lambda left: left == [], within_s=1)


def test_a_taken_port_is_named_when_it_was_asked_for(idle: Appliance) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = idle.run("up", "--detach", "--port", str(port))
    assert done.returncode == 1
    assert str(port) in done.stderr and str(os.getpid()) in done.stderr
    assert "Traceback" not in done.stderr
    assert not idle.data_dir.exists()
    assert stale_processes_of(idle.home) == []


def test_the_chosen_port_is_remembered(idle: Appliance) -> None:
    idle.up()
    url = idle.url
    idle.down()
    idle.up()
    assert idle.url == url


def test_headless_set_up_creates_what_the_environment_says_and_later_starts_keep_it() -> None:
    settings = {
        "LANGFUSE_INIT_ORG_ID": "org-a",
        "LANGFUSE_INIT_PROJECT_ID": "project-a",
        "LANGFUSE_INIT_PROJECT_NAME": "Project A",
        "LANGFUSE_INIT_PROJECT_PUBLIC_KEY": "pk-lf-a",
        "LANGFUSE_INIT_PROJECT_SECRET_KEY": "sk-lf-a",
    }
    with new_appliance(**settings) as appliance:
        appliance.up()
        assert appliance.keys == ("pk-lf-a", "sk-lf-a")
        with appliance.http() as http:
            [project] = http.get("/api/public/projects").json()["data"]
        assert (project["id"], project["name"]) == ("project-a", "Project A")
        appliance.down()
        for name in settings:
            del appliance.environ[name]
        appliance.up()
        assert appliance.keys == ("pk-lf-a", "sk-lf-a")
        with appliance.http() as http:
            [again] = http.get("/api/public/projects").json()["data"]
        assert again == project


@pytest.mark.parametrize("after_s", [0.05, 0.4, 1.0, 2.0])
def test_ctrl_c_during_up_leaves_nothing_running(idle: Appliance, after_s: float) -> None:
    process = subprocess.Popen(
        idle.command("up"), env=idle.environ, cwd=idle.home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    time.sleep(after_s)  # the moment is what this test varies
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=STOP_TIMEOUT_S)
    assert process.returncode in (0, 1, 130, -signal.SIGINT)
    assert after_s < 0.4 or "Traceback" not in stderr
    eventually(lambda: stale_processes_of(idle.home) == [])
    idle.up()


def test_foreground_up_prints_where_it_is_and_stops_in_order(idle: Appliance) -> None:
    process = subprocess.Popen(
        idle.command("up"), env=idle.environ, cwd=idle.home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    eventually(lambda: idle.run("status").returncode == 0, within_s=60)
    url = idle.status()["url"]
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=STOP_TIMEOUT_S)
    assert url in stdout + stderr
    assert process.returncode in (0, 130)
    assert stale_processes_of(idle.home) == []
    with pytest.raises(httpx.TransportError):
        httpx.get(url)


def test_foreground_up_that_down_has_stopped_did_not_fail(idle: Appliance) -> None:
    process = subprocess.Popen(idle.command("up"), env=idle.environ, cwd=idle.home, stdout=subprocess.DEVNULL)
    eventually(lambda: idle.run("status").returncode == 0, within_s=60)
    idle.down()
    assert process.wait(STOP_TIMEOUT_S) == 0


def test_a_place_that_cannot_be_written_is_one_sentence(idle: Appliance) -> None:
    place = "/proc/langfuse-local"
    if os.geteuid():
        idle.data_dir.mkdir(mode=0o555)
        place = str(idle.data_dir)
    for detach in (["--detach"], []):
        done = idle.run("up", *detach, data_dir=place)
        assert done.returncode == 1
        assert place in done.stderr and "Traceback" not in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
    assert stale_processes_of(idle.home) == []


def test_a_data_directory_that_is_a_file_is_one_sentence(idle: Appliance) -> None:
    idle.data_dir.write_text("")
    done = idle.run("up", "--detach")
    assert done.returncode in (1, 2)
    assert str(idle.data_dir) in done.stderr and "Traceback" not in done.stderr


def test_any_sign_may_stand_in_the_path_of_the_data_directory(idle: Appliance) -> None:
    place = str(idle.home / 'o\'brien \\n {a,b} {1..3} ${HOME} "日本"')
    try:
        done = idle.run("up", "--detach", data_dir=place)
        assert done.returncode == 0, done.stderr
        assert idle.run("status", data_dir=place).returncode == 0
    finally:
        idle.run("down", data_dir=place)


def test_many_starts_at_once_are_one_and_no_log_has_a_secret(idle: Appliance) -> None:
    starts = [
        subprocess.Popen(
            idle.command("up", "--detach"),
            env=idle.environ,
            cwd=idle.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(6)
    ]
    said = [start.communicate(timeout=UP_TIMEOUT_S)[0] for start in starts]
    assert [start.returncode for start in starts] == [0] * 6, said
    for command in ("status", "traces", "env", "doctor", "logs", "migrate", "dead-letters list", "tail --help"):
        idle.run(*command.split())
    secrets = json.loads((idle.data_dir / "secrets.json").read_text())
    hidden = [value for name, value in secrets.items() if value and name != "public_key"]
    idle.down()
    texts = {file.name: file.read_text(errors="replace") for file in (idle.data_dir / "logs").iterdir()}
    texts |= {f"start {number}": text for number, text in enumerate(said)}
    assert {name for name, text in texts.items() if any(secret in text for secret in hidden)} == set()
    assert len(hidden) >= 6 and "supervisor.log" in texts


def test_a_stopped_supervisor_is_told_and_can_be_taken_down(idle: Appliance) -> None:
    idle.up()
    supervisor = json.loads((idle.data_dir / "state.json").read_text())["supervisor"]["pid"]
    os.kill(supervisor, signal.SIGSTOP)
    seen = idle.run("status", timeout_s=20)
    assert seen.returncode == 1 and f"stopped, pid {supervisor}" in seen.stderr
    idle.down()
    assert stale_processes_of(idle.home) == []


def test_a_start_that_waits_for_stores_elsewhere_stops_cleanly(idle: Appliance) -> None:
    nowhere = {
        "DATABASE_URL": "postgresql://u:p@127.0.0.1:1/x",
        "REDIS_CONNECTION_STRING": "redis://127.0.0.1:1/0",
        "CLICKHOUSE_URL": "http://127.0.0.1:1",
    }
    process = subprocess.Popen(
        idle.command("up", "--runtime", "external"),
        env=idle.environ | nowhere,
        cwd=idle.home,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    eventually(lambda: (idle.data_dir / "run" / "control.sock").exists())
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=STOP_TIMEOUT_S)[0]
    assert process.returncode == 143
    assert "Traceback" not in said and said.rstrip().endswith("Stopped.")


def test_external_without_endpoints_says_what_is_missing(idle: Appliance) -> None:
    done = idle.run("up", "--detach", "--runtime", "external")
    assert done.returncode == 1
    assert "DATABASE_URL" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.local
def test_logs_env_and_doctor_answer(appliance: Appliance) -> None:
    for service in ("postgres", "redis", "clickhouse", "web", "worker"):
        assert appliance.run("logs", service, "--lines", "5").returncode == 0
    dotenv = appliance.run("env").stdout
    assert f"LANGFUSE_BASE_URL={appliance.url}" in dotenv.replace('"', "").replace("'", "")
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in dotenv
    shell = subprocess.run(
        ["sh", "-c", f'{appliance.run("env", "--format", "shell").stdout}\nprintf %s "$LANGFUSE_PUBLIC_KEY"'],
        capture_output=True,
        text=True,
    )
    assert shell.stdout == appliance.keys[0]
    assert appliance.run("doctor").stdout
    assert appliance.run("doctor", "--json").stdout.lstrip().startswith(("{", "["))


def test_down_twice_is_no_error_worth_a_traceback(idle: Appliance) -> None:
    done = idle.run("down")
    assert done.returncode in (0, 1)
    assert "Traceback" not in done.stderr
