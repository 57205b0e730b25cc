"""Words for systemd, and what it must not be told."""

from __future__ import annotations

import io
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from appliance.cli.service import service_group
from appliance.data_dir.logfiles import Echo
from appliance.errors import ConfigError
from appliance.orchestrator.systemd.installation import notify, require_readable


def test_readiness_is_told_by_the_socket(tmp_path: Path) -> None:
    address = str(tmp_path / "n")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        notify(address, "READY=1")
        assert manager.recv(100) == b"READY=1"


def test_nobody_listens_is_no_error(tmp_path: Path) -> None:
    notify("", "READY=1")
    notify(str(tmp_path / "nobody"), "READY=1")


def test_a_package_in_a_private_home_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    file = tmp_path / "python"
    file.touch(0o755)
    with pytest.raises(ConfigError, match="may not enter"):
        require_readable([file], "langfuse-local")


def test_lines_are_repeated_whole_and_named() -> None:
    target = io.BytesIO()
    echo = Echo("web", target)
    for piece in (b"one\ntw", b"o", b"\n\x1b[2J\x9bm\n", b"\xff"):
        echo.write(piece)
    assert target.getvalue().decode() == "web | one\nweb | two\nweb | ·[2J\ufffdm\n"


def test_a_line_without_end_does_not_fill_the_memory() -> None:
    target = io.BytesIO()
    echo = Echo("web", target)
    for _ in range(100):
        echo.write(b"x" * 10_000)
    assert len(target.getvalue()) > 900_000


def test_a_dry_run_prints_the_unit() -> None:
    done = CliRunner().invoke(service_group, ["install", "--system", "--dry-run", "--port", "3100", "--name", "second"])
    assert done.exit_code == 0
    assert "--data-dir /var/lib/second --runtime embedded --port 3100\n" in done.output


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["install", "--system", "--dry-run", "--data-dir", "/srv/data"], "--run-as USER"),
        (["install", "--user", "--dry-run", "--run-as", "ada"], "runs as you"),
    ],
)
def test_wrong_usage_says_what_to_do(arguments: list[str], complaint: str) -> None:
    done = CliRunner().invoke(service_group, arguments)
    assert done.exit_code == 2 and complaint in done.output


@pytest.mark.parametrize("name", ["a b", "../x", "", "x/y"])
def test_a_name_that_is_none_of_a_unit_is_refused(name: str) -> None:
    done = CliRunner().invoke(service_group, ["install", "--system", "--name", name, "--dry-run"])
    assert done.exit_code == 2
    assert "not a valid name of a unit" in done.output
