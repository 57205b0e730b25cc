"""A real appliance on a directory of its own, driven as a user drives it: by the command line and by HTTP.

ACCEPTANCE_RUNTIME says how its stores run: embedded (also without it) or docker.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil

from tests.integration.docker.standins.names import store_image_environ

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
UP_TIMEOUT_S = 120.0
RUNTIME = os.environ.get("ACCEPTANCE_RUNTIME", "embedded")
"""embedded, docker, compose or external; the last two are compose files (see compose_process)."""
OURS = ("LANGFUSE_", "DATABASE_URL", "REDIS_", "CLICKHOUSE_", "SALT", "ENCRYPTION_KEY", "NEXTAUTH_URL", "OTEL_")


def clean_environment(home: Path) -> dict[str, str]:
    """The environment without any setting of this machine's user, with all of the user's directories below `home`."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    environ |= {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "PYTHONPATH": str(ROOT),
    }
    return environ


def eventually(read: Callable[[], T], *, until: Callable[[T], bool] = bool, within_s: float = 10.0) -> T:
    """Reads again until the value pleases; raises AssertionError with the last value when time is over."""
    deadline = time.monotonic() + within_s
    while True:
        value = read()
        if until(value):
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s; last seen: {value!r}")
        time.sleep(0.05)


@dataclass(slots=True)
class Appliance:
    """One data directory and the appliance that may run on it."""

    home: Path
    """Where the data directory and the user's other directories lie."""
    environ: dict[str, str]
    settings: dict[str, str] = field(default_factory=dict)
    """What `env` says, once it has been asked."""

    @property
    def data_dir(self) -> Path:
        return self.home / "appliance"

    def command(self, *arguments: str, data_dir: str = "") -> list[str]:
        """The command line of one subcommand on this data directory, or on another one."""
        return [sys.executable, "-m", "appliance", *arguments, "--data-dir", data_dir or str(self.data_dir)]

    def run(
        self, *arguments: str, data_dir: str = "", timeout_s: float = UP_TIMEOUT_S
    ) -> subprocess.CompletedProcess[str]:
        """Runs one subcommand to its end, whatever it answers."""
        return subprocess.run(
            self.command(*arguments, data_dir=data_dir),
            env=self.environ,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )

    def up(self, *flags: str) -> None:
        """Starts everything and waits until the API answers healthy; raises AssertionError with the logs otherwise."""
        done = self.run("up", "--detach", *flags)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{self.last_logs()}"
        self.refresh()

    def refresh(self) -> None:
        """Asks the running appliance for its address and keys."""
        self.settings = json.loads(self.run("env", "--format", "json").stdout)

    def down(self) -> None:
        """Stops everything."""
        done = self.run("down")
        assert done.returncode == 0, done.stderr

    def remove(self) -> None:
        """Stops everything and removes what does not lie in its directory: containers and volumes."""
        self.run("down", *(["--volumes", "--yes"] if self.environ.get("LANGFUSE_LOCAL_RUNTIME") == "docker" else []))

    def status(self) -> dict[str, Any]:
        """What `status --json` prints; empty while nothing runs."""
        answer = self.run("status", "--json").stdout
        status: dict[str, Any] = json.loads(answer) if answer.strip() else {}
        return status

    def pids(self, service: str) -> list[int]:
        """The processes of one service; none while it is down."""
        for entry in self.status()["services"]:
            if entry["name"] == service and entry["container"]:
                return container_pids(entry["container"])
            if entry["name"] == service:
                return entry["pids"] or ([entry["pid"]] if entry["pid"] else [])
        raise AssertionError(f"{service} is not among the services")

    @property
    def url(self) -> str:
        return self.settings["LANGFUSE_BASE_URL"]

    @property
    def keys(self) -> tuple[str, str]:
        return self.settings["LANGFUSE_PUBLIC_KEY"], self.settings["LANGFUSE_SECRET_KEY"]

    def http(self) -> httpx.Client:
        """A client of the public API with the first project's keys."""
        return httpx.Client(base_url=self.url, auth=self.keys, timeout=30.0)

    def last_logs(self) -> str:
        """The last lines of every service's log."""
        files = sorted((self.data_dir / "logs").glob("*.log")) if self.data_dir.exists() else []
        return "\n".join(f"--- {file.name}\n" + "\n".join(file.read_text().splitlines()[-15:]) for file in files)


def container_pids(container: str) -> list[int]:
    """The first process of a container, by its number on this host; none while it does not run."""
    command = ["docker", "inspect", "--format", "{{.State.Pid}}", container]
    said = subprocess.run(command, capture_output=True, text=True, timeout=30).stdout.strip()
    return [int(said)] if said not in ("", "0") else []


def stale_processes_of(home: Path) -> list[str]:
    """All that lives on of an appliance: processes with its directory in their command line or working in it, and
    its running containers.
    """
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() == psutil.STATUS_ZOMBIE or process.pid == os.getpid():
                continue
            places = [*process.cmdline(), process.cwd()]
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        if any(str(home) in place for place in places):
            found.append(str(process))
    identity = home / "appliance" / "docker-id"
    if identity.is_file():
        label = f"label=langfuse-local.appliance={identity.read_text().strip()}"
        command = ["docker", "ps", "--filter", label, "--format", "{{.Names}} {{.Status}}"]
        found += subprocess.run(command, capture_output=True, text=True, timeout=30).stdout.splitlines()
    return found


@contextmanager
def new_home() -> Iterator[Path]:
    """An empty directory that every user may enter (as root the stores run as another user), removed at the end."""
    home = Path(tempfile.mkdtemp(prefix="lfl-"))
    home.chmod(0o755)
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def docker_settings() -> dict[str, str]:
    """The environment variables of an appliance whose stores run in containers of the stand-in images."""
    return {**store_image_environ(), "LANGFUSE_LOCAL_RUNTIME": "docker"}


@contextmanager
def new_appliance(**settings: str) -> Iterator[Appliance]:
    """An appliance that is not yet up, with some environment variables; taken down and removed at the end."""
    with new_home() as home:
        environ = clean_environment(home) | (docker_settings() if RUNTIME == "docker" else {}) | settings
        appliance = Appliance(home=home, environ=environ)
        try:
            yield appliance
        finally:
            appliance.remove()
