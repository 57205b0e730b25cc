"""What a second `up` says while the first one runs."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from appliance.cli.already_up import print_keys
from appliance.cli.down import down
from appliance.cli.status import status
from appliance.cli.up import up
from appliance.config import Settings
from appliance.data_dir.lock import hold_lock, make_folders
from appliance.data_dir.secrets import ensure_secrets
from appliance.data_dir.state import State, read_state, write_state
from appliance.errors import ConfigError, StartFailed
from appliance.orchestrator.processes.stale import record_of
from appliance.orchestrator.up import run_down
from appliance.paths import DataDir

RUNNING = State(url="http://localhost:3100", ports={"web": 3100}, workers=2)


@pytest.fixture
def place(tmp_path: Path) -> DataDir:
    data_dir = DataDir(tmp_path / "data")
    make_folders(data_dir)
    ensure_secrets(data_dir, Settings())
    return data_dir


def second_up(place: DataDir, *flags: str) -> Result:
    with hold_lock(place):
        return CliRunner().invoke(up, ["--detach", "--data-dir", str(place.root), *flags])


@pytest.mark.parametrize("flags", [[], ["--port", "3100"], ["--workers", "2", "--runtime", "embedded"]])
def test_what_is_so_already_is_told_and_done(place: DataDir, flags: list[str]) -> None:
    write_state(place, RUNNING)
    done = second_up(place, *flags)
    assert (done.exit_code, RUNNING.url in done.stdout) == (0, True)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("flags", "now"),
    [
        (["--port", "3200"], "--port 3100"),
        (["--host", "0.0.0.0"], "--host 127.0.0.1"),
        (["--runtime", "docker"], "--runtime embedded"),
        (["--workers", "3"], "--workers 2"),
        (["--web-workers", "2"], "--web-workers 1"),
        (["--otlp-grpc-port", "4317"], "no --otlp-grpc-port"),
    ],
)
def test_what_is_not_so_is_wrong_usage_and_says_what_to_do(place: DataDir, flags: list[str], now: str) -> None:
    write_state(place, RUNNING)
    done = second_up(place, *flags)
    assert (done.exit_code, done.stdout) == (2, "")
    assert now in done.stderr and f"langfuse-local up {' '.join(flags)}" in done.stderr


def test_a_start_that_makes_progress_is_waited_for(place: DataDir, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time passes by the pauses: ten steps of a minute each take longer than one may stand still."""
    seconds = 0.0
    steps = iter(
        [
            *(
                State(step=f"still migrating: {number}", supervisor=record_of("supervisor", os.getpid()))
                for number in range(10)
            ),
            RUNNING,
        ]
    )

    def pause(_seconds: float) -> None:
        nonlocal seconds
        seconds += 60
        write_state(place, next(steps))
        os.utime(place.state_file, ns=(0, int(seconds * 1e9)))

    monkeypatch.setattr("time.sleep", pause)
    monkeypatch.setattr("time.monotonic", lambda: seconds)
    write_state(place, State(supervisor=record_of("supervisor", os.getpid())))
    done = second_up(place)
    assert (done.exit_code, RUNNING.url in done.stdout) == (0, True)  # type: ignore[operator]
    assert [line for line in done.stderr.splitlines() if "migrating: 7" in line]


def test_a_start_that_stands_still_is_not_waited_for(place: DataDir, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = 0.0

    def pause(_seconds: float) -> None:
        nonlocal seconds
        seconds += 60

    monkeypatch.setattr("time.sleep", pause)
    monkeypatch.setattr("time.monotonic", lambda: seconds)
    write_state(place, State(supervisor=record_of("supervisor", os.getpid())))
    done = second_up(place)
    assert isinstance(done.exception, StartFailed) and "still starting" in str(done.exception)


def test_a_lock_of_somebody_else_is_no_appliance(place: DataDir, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter(range(0, 1000, 2))
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    monkeypatch.setattr("time.monotonic", lambda: next(seconds))
    write_state(place, State(ports={"web": 3100}))
    done = second_up(place)
    assert isinstance(done.exception, ConfigError) and "supervisor.lock is locked by" in str(done.exception)
    with hold_lock(place):
        stopped = CliRunner().invoke(down, ["--data-dir", str(place.root)])
        seen = CliRunner().invoke(status, ["--data-dir", str(place.root)])
    assert isinstance(stopped.exception, ConfigError) and "is locked by" in str(stopped.exception)
    assert "Nothing runs" in seen.stderr


def test_the_secret_key_goes_to_a_terminal_and_elsewhere_when_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    print_keys("http://localhost:3000", "pk-lf-a", "sk-lf-a")
    assert "sk-lf-a" not in capsys.readouterr().out
    print_keys("http://localhost:3000", "pk-lf-a", "sk-lf-a", everywhere=True)
    assert "sk-lf-a" in capsys.readouterr().out
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    print_keys("http://localhost:3000", "pk-lf-a", "sk-lf-a")
    assert "sk-lf-a" in capsys.readouterr().out


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that stands for a supervisor."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process
    process.kill()
    process.wait()


def test_a_stopped_supervisor_is_told_at_once(place: DataDir, sleeper: subprocess.Popen[bytes]) -> None:
    sleeper.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, sleeper.pid, os.WSTOPPED | os.WNOWAIT)
    record = record_of("supervisor", sleeper.pid)
    write_state(place, State(url=RUNNING.url, control_socket=str(place.run / "none"), supervisor=record))
    with hold_lock(place):
        seen = CliRunner().invoke(status, ["--data-dir", str(place.root), "--json"])
        again = CliRunner().invoke(up, ["--detach", "--data-dir", str(place.root)])
        state = read_state(place)
    assert isinstance(again.exception, StartFailed) and "does not answer (stopped" in str(again.exception)
    assert seen.exit_code == 1
    assert f"does not answer (stopped, pid {sleeper.pid})" in seen.stderr
    assert json.loads(seen.stdout)["url"] == state.url


def test_down_wakes_a_stopped_supervisor_so_that_it_can_stop(place: DataDir, sleeper: subprocess.Popen[bytes]) -> None:
    sleeper.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, sleeper.pid, os.WSTOPPED | os.WNOWAIT)
    write_state(place, State(supervisor=record_of("supervisor", sleeper.pid)))
    with hold_lock(place), contextlib.suppress(StartFailed), pytest.MonkeyPatch.context() as patch:
        patch.setattr("appliance.orchestrator.up._DOWN_TIMEOUT_S", 0.0)
        run_down(place, lambda _news: None)
    assert sleeper.wait(timeout=20) == -signal.SIGTERM
