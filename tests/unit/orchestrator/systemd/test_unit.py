"""The unit file: what it runs, whom as, and what it forbids."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from appliance.orchestrator.systemd.unit import Unit

GOLDEN = """\
[Unit]
Description=langfuse-local on /home/ada/.local/share/langfuse-local

[Service]
Type=notify
ExecStart=/opt/venv/bin/python -E -P -m appliance up --journal \
--data-dir /home/ada/.local/share/langfuse-local --runtime embedded --port 3000
EnvironmentFile=-%E/langfuse-local/environment
SyslogIdentifier=langfuse-local
Restart=on-failure
RestartSec=5
TimeoutStartSec=3min
TimeoutStopSec=1min
KillMode=mixed
SuccessExitStatus=143
LimitNOFILE=262144
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
UMask=0077

[Install]
WantedBy=default.target
"""


def unit(**changes: Any) -> Unit:
    """A system unit with the default places."""
    values: dict[str, Any] = {
        "scope": "system",
        "name": "langfuse-local",
        "python": Path("/opt/venv/bin/python"),
        "data_dir": Path("/var/lib/langfuse-local"),
    }
    return Unit(**values | changes)


def lines(text: str) -> list[str]:
    return text.splitlines()


def test_a_user_unit_is_this() -> None:
    data_dir = Path("/home/ada/.local/share/langfuse-local")
    assert unit(scope="user", data_dir=data_dir, arguments=("--port", "3000")).text() == GOLDEN


def test_a_system_unit_has_no_privileges_and_one_place_to_write() -> None:
    found = lines(unit().text())
    for line in (
        "User=langfuse-local",
        "CapabilityBoundingSet=",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "StateDirectory=langfuse-local",
        "StateDirectoryMode=0700",
        "WantedBy=multi-user.target",
    ):
        assert line in found
    assert not any(line.startswith("ReadWritePaths") for line in found)


def test_data_elsewhere_is_the_one_path_that_may_be_written() -> None:
    found = lines(unit(data_dir=Path("/srv/my data"), user="ada").text())
    assert "ReadWritePaths='/srv/my data'" in found and "User=ada" in found
    assert not any(line.startswith("StateDirectory") for line in found)


def test_the_docker_runtime_waits_for_docker_and_may_use_it() -> None:
    found = lines(unit(runtime="docker").text())
    assert "After=network-online.target docker.service" in found
    assert "SupplementaryGroups=docker" in found


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize(
    "changes",
    [{}, {"scope": "user"}, {"runtime": "docker"}, {"data_dir": Path("/srv/a b%c$d"), "user": "root"}],
)
def test_systemd_understands_it(changes: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "langfuse-local.service"
    file.write_text(unit(python=Path(sys.executable), **changes).text())
    scope = "--user" if changes.get("scope") == "user" else "--system"
    environ = {"PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run(
        ["systemd-analyze", scope, "--man=no", "verify", str(file)], capture_output=True, text=True, env=environ
    )
    complaints = [line for line in done.stderr.splitlines() if file.name in line and "docker.service" not in line]
    assert complaints == []
