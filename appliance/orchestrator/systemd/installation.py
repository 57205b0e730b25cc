"""Installs, removes and queries the systemd unit of an appliance."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.errors import ConfigError
from appliance.orchestrator.systemd.unit import SERVICE_USER, Scope, Unit, sysusers_text

SYSTEM_UNITS: Final = Path("/etc/systemd/system")
SYSUSERS_FILE: Final = Path("/etc/sysusers.d/langfuse-local.conf")
_BOOTED: Final = Path("/run/systemd/system")
_COMMAND_TIMEOUT_S: Final = 20 * 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitStatus:
    """The status of a unit as systemd reports it."""

    unit: str
    file: str
    enabled: str
    """`enabled`, `disabled` ..."""
    active: str
    """`active`, `activating`, `failed`, `inactive` ..."""
    status: str
    """The last STATUS= that the supervisor sent."""
    pid: int
    since: str
    """When it entered this state, as systemd prints it; empty before its first start."""


def require_systemd() -> None:
    """Raises ConfigError where systemd does not run."""
    if shutil.which("systemctl") is None or not _BOOTED.is_dir():
        raise ConfigError(
            "systemd does not run on this machine.",
            hint="Start it yourself: langfuse-local up --detach; or by compose, whose containers restart.",
        )


def unit_directory(scope: Scope, config_home: Path) -> Path:
    """The folder of units of this scope; `config_home` is the user's configuration directory."""
    return SYSTEM_UNITS if scope == "system" else config_home / "systemd" / "user"


def require_readable(paths: Iterable[Path], user: str) -> None:
    """Raises ConfigError when other users than the owner cannot reach one of the paths."""
    for path in paths:
        for part in (path, *path.parents):
            mode = part.stat().st_mode
            needed = stat.S_IXOTH if stat.S_ISDIR(mode) else stat.S_IROTH
            if not mode & needed:
                raise ConfigError(
                    f"{path} lies in {part}, which the user {user!r} may not enter.",
                    hint="Install the package for everyone, such as with a virtual environment in /opt/langfuse-local, "
                    "or name a user that may: --run-as USER.",
                )


def install(unit: Unit, directory: Path) -> bool:
    """Writes, enables and starts the unit; returns whether the file changed. Raises ConfigError."""
    file = directory / unit.file_name
    if unit.scope == "system" and unit.user == SERVICE_USER:
        _write(SYSUSERS_FILE, sysusers_text())
        _run(["systemd-sysusers", str(SYSUSERS_FILE)])
    if unit.scope == "system" and not unit.owns_state:
        _make_for(unit.data_dir, unit.user)
    changed = _write(file, unit.text())
    systemctl(unit.scope, "daemon-reload")
    systemctl(unit.scope, "enable", unit.file_name)
    systemctl(unit.scope, "restart" if changed else "start", unit.file_name)
    return changed


def uninstall(scope: Scope, name: str, directory: Path) -> bool:
    """Stops and disables the unit and removes its file; False when there was none. The data stays."""
    file = directory / f"{name}.service"
    if not file.exists():
        return False
    systemctl(scope, "disable", "--now", file.name)
    file.unlink()
    systemctl(scope, "daemon-reload")
    with contextlib.suppress(ConfigError):  # it had not failed
        systemctl(scope, "reset-failed", file.name)
    return True


def state_of(scope: Scope, name: str) -> UnitStatus:
    """The status of the unit; `file` is empty for a unit that systemd does not know."""
    names = ("FragmentPath", "UnitFileState", "ActiveState", "StatusText", "MainPID", "StateChangeTimestamp")
    answer = systemctl(scope, "show", f"{name}.service", "--property", ",".join(names))
    properties = dict(line.partition("=")[::2] for line in answer.splitlines())
    return UnitStatus(
        unit=f"{name}.service",
        file=properties.get("FragmentPath", ""),
        enabled=properties.get("UnitFileState", ""),
        active=properties.get("ActiveState", ""),
        status=properties.get("StatusText", ""),
        pid=int(properties.get("MainPID") or 0),
        since=properties.get("StateChangeTimestamp", ""),
    )


def systemctl(scope: Scope, *arguments: str) -> str:
    """Runs systemctl and returns its output; raises ConfigError with its error message."""
    return _run(["systemctl", *(["--user"] if scope == "user" else []), *arguments])


def notify(address: str, message: str) -> None:
    """Sends a message (`READY=1`, `STATUS=...`) to systemd's socket at `address`, if there is one (sd_notify(3))."""
    if not address:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
        connection.connect("\0" + address[1:] if address.startswith("@") else address)
        connection.sendall(message.encode())


def package_paths() -> tuple[Path, ...]:
    """Files that the service's user must be able to read: the interpreter, its target, and the package."""
    return Path(sys.executable), Path(sys.executable).resolve(), Path(__file__)


def _make_for(directory: Path, user: str) -> None:
    """Creates the data directory for a user: the unit may write in it only, so it could not create it."""
    try:
        if not directory.exists():
            directory.mkdir(parents=True, mode=0o700)
            shutil.chown(directory, user)
    except (OSError, LookupError) as error:
        raise ConfigError(f"{directory} cannot be made for the user {user!r}: {error}.") from error


def _write(file: Path, text: str) -> bool:
    try:
        if file.exists() and file.read_text(encoding="utf-8") == text:
            return False
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_name(file.name + ".new")
        fresh.write_text(text, encoding="utf-8")
        fresh.chmod(0o644)
        fresh.replace(file)
    except OSError as error:
        hint = "Run it with sudo, or as a user unit: --user." if os.geteuid() else ""
        raise ConfigError(f"{file} cannot be written: {error.strerror}.", hint=hint) from error
    return True


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_COMMAND_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigError(f"{command[0]} cannot be run: {error}.") from error
    if done.returncode:
        output = " ".join(done.stderr.split()) or f"{command[0]} ended with {done.returncode}"
        raise ConfigError(f"{' '.join(command)}: {output}")
    return done.stdout
