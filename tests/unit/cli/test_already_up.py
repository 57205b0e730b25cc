"""What a second `up` says while the first one runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from appliance.cli.up import up
from appliance.config import Settings
from appliance.errors import StartFailed
from appliance.orchestrator.lock import exclusive, make_folders
from appliance.orchestrator.secrets import ensure_secrets
from appliance.orchestrator.state import State, write_state
from appliance.paths import DataDir

RUNNING = State(url="http://localhost:3100", ports={"web": 3100}, workers=2)


@pytest.fixture
def place(tmp_path: Path) -> DataDir:
    data_dir = DataDir(tmp_path / "data")
    make_folders(data_dir)
    ensure_secrets(data_dir, Settings())
    return data_dir


def second_up(place: DataDir, *flags: str) -> Result:
    with exclusive(place):
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
    steps = iter([*(State(step=f"still migrating: {number}") for number in range(10)), RUNNING])

    def pause(_seconds: float) -> None:
        nonlocal seconds
        seconds += 60
        write_state(place, next(steps))
        os.utime(place.state_file, ns=(0, int(seconds * 1e9)))

    monkeypatch.setattr("time.sleep", pause)
    monkeypatch.setattr("time.monotonic", lambda: seconds)
    write_state(place, State())
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
    write_state(place, State())
    done = second_up(place)
    assert isinstance(done.exception, StartFailed) and "still starting" in str(done.exception)
