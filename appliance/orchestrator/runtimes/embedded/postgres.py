"""Postgres as a child process, from the binaries in a wheel."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from appliance.data_dir.logfiles import RotatingLog, last_lines
from appliance.data_dir.private_files import write_private
from appliance.errors import RuntimeUnavailable, StartFailed, StoreUnavailable
from appliance.orchestrator.host.socket_paths import display_path
from appliance.orchestrator.processes.child import Launcher, ProcessSpec, inherited_environ
from appliance.orchestrator.processes.handle import start_process
from appliance.orchestrator.processes.privileges import Identity
from appliance.orchestrator.processes.probes import probe_postgres
from appliance.orchestrator.runtimes.contract import ServiceHandle
from appliance.orchestrator.runtimes.embedded.postgres_identity import (
    hand_over,
    reachable,
    require_name,
    unprivileged_identity,
)
from appliance.orchestrator.runtimes.embedded.postgres_install import (
    NEWEST_MAJOR,
    PostgresInstall,
    find_install,
    major_of,
)
from appliance.paths import DataDir

USER = "langfuse"
DATABASE = "langfuse"
_PORT = 5432
SOCKET = f".s.PGSQL.{_PORT}"
FORBIDDEN_IN_PATH = ","
"""Separates folders in the `host` of a connection string."""
_SETTINGS = {
    "listen_addresses": "",
    "port": str(_PORT),
    "unix_socket_permissions": "0600",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "work_mem": "4MB",
    "maintenance_work_mem": "32MB",
    "wal_buffers": "1MB",
    "max_wal_size": "256MB",
    "max_wal_senders": "0",
    "wal_level": "minimal",
    "max_worker_processes": "2",
    "max_parallel_workers": "0",
    "max_logical_replication_workers": "0",
    "io_method": "sync",
    "autovacuum_max_workers": "1",
    "autovacuum_naptime": "5min",
    "bgwriter_delay": "5s",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_SINCE_18 = {"io_method"}
_STATUS_LINE = 7  # of postmaster.pid


@dataclass(frozen=True, slots=True)
class EmbeddedPostgres:
    """The service `postgres` of the embedded runtime."""

    data_dir: DataDir
    socket: Path
    """In a folder that only this user and the one that Postgres runs as can enter."""
    password: str
    launcher: Launcher
    name: str = "postgres"
    managed: bool = True

    @property
    def address(self) -> str:
        return display_path(self.socket, self.data_dir.root)

    @property
    def url(self) -> str:
        folder = quote(str(self.socket.parent), safe="")
        # Scram: the password is never sent.
        return f"postgresql://{USER}:{self.password}@/{DATABASE}?host={folder}&port={_PORT}&require_auth=scram-sha-256"

    def require_user(self) -> None:
        """Raises RuntimeUnavailable when this user cannot create a data directory."""
        if major_of(self.data_dir.postgres / "data") is None:
            require_name()

    async def launch(self) -> ServiceHandle:
        pgdata = self.data_dir.postgres / "data"
        install, identity = await asyncio.to_thread(self._choose, pgdata)
        if major_of(pgdata) is None:
            await self._create_cluster(install, identity, pgdata)
        elif identity is not None:
            await asyncio.to_thread(hand_over, pgdata, identity)
        for folder in {self.data_dir.postgres, self.socket.parent}:
            make_private(folder, identity)
        return await start_process(self.launcher, self._server(install, identity, pgdata))

    async def check(self, handle: ServiceHandle) -> None:
        await probe_postgres(self.url)
        # A stale server may have answered: ours writes into this file that it is ready.
        if not is_ready(self.data_dir.postgres / "data" / "postmaster.pid", handle.pid):
            raise StoreUnavailable("Postgres is not ready.")

    def _choose(self, pgdata: Path) -> tuple[PostgresInstall, Identity | None]:
        install = find_install(major_of(pgdata) or NEWEST_MAJOR)
        return reachable(install, self.data_dir.root, unprivileged_identity())

    def _server(self, install: PostgresInstall, identity: Identity | None, pgdata: Path) -> ProcessSpec:
        settings = {name: value for name, value in _SETTINGS.items() if install.major >= 18 or name not in _SINCE_18}
        folder = str(self.socket.parent).replace('"', '""')
        settings["unix_socket_directories"] = f'"{folder}"'
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return self._spec((str(install.binary("postgres")), "-D", str(pgdata), *options), identity)

    def _spec(self, argv: tuple[str, ...], identity: Identity | None) -> ProcessSpec:
        return ProcessSpec(
            name=self.name,
            argv=argv,
            log=self.data_dir.log_file(self.name),
            environ=inherited_environ(),
            identity=identity,
            stop_signal=signal.SIGINT,  # "fast": ends sessions instead of waiting for them
        )

    async def _create_cluster(self, install: PostgresInstall, identity: Identity | None, pgdata: Path) -> None:
        """Runs initdb in a draft folder that is renamed when complete, so an interruption leaves nothing partial."""
        home, draft = self.data_dir.postgres, self.data_dir.postgres / "draft"
        make_private(home, identity)
        shutil.rmtree(draft, ignore_errors=True)
        password_file = home / "password"
        write_private(password_file, self.password)
        if identity is not None:
            os.chown(password_file, identity.uid, identity.gid)
        try:
            await self._run(self._spec(_initdb(install, draft, password_file), identity))
            await self._create_database(install, identity, draft)
        finally:
            password_file.unlink(missing_ok=True)
        draft.rename(pgdata)

    async def _create_database(self, install: PostgresInstall, identity: Identity | None, pgdata: Path) -> None:
        statement = f"CREATE DATABASE {DATABASE} STRATEGY = FILE_COPY"
        single = f'echo "{statement}" | exec "$0" --single -F -c io_method=sync -D "$1" template1'
        await self._run(self._spec(("/bin/sh", "-c", single, str(install.binary("postgres")), str(pgdata)), identity))

    async def _run(self, spec: ProcessSpec) -> None:
        RotatingLog(spec.log).close()
        process = await self.launcher(spec)
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            process.send(signal.SIGKILL)
            raise
        if code != 0:
            output = " / ".join(line.strip() for line in last_lines(spec.log, 4) if line.strip())
            problem = f"Postgres could not make its data directory: {output}"
            raise RuntimeUnavailable(problem) if "No space" in output or "ermission" in output else StartFailed(problem)


def make_private(folder: Path, identity: Identity | None) -> None:
    """Creates the folder if needed; only the user of `identity` (None for this one) can enter it."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if identity is not None:
        os.chown(folder, identity.uid, identity.gid)
    folder.chmod(0o700)


def is_ready(pid_file: Path, pid: int | None) -> bool:
    """Whether the server with this pid has written into its pid file that it accepts connections."""
    try:
        lines = pid_file.read_text(errors="replace").splitlines()
    except OSError:
        return False
    return len(lines) > _STATUS_LINE and lines[0] == str(pid) and lines[_STATUS_LINE].strip() == "ready"


def _initdb(install: PostgresInstall, pgdata: Path, password_file: Path) -> tuple[str, ...]:
    return (
        str(install.binary("initdb")),
        f"--pgdata={pgdata}",
        f"--username={USER}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--no-locale",
        "--no-sync",
        "--no-instructions",
    )
