"""One running appliance: starts its services in order and stops them in order."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
from collections.abc import AsyncIterator, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.config import Settings
from appliance.data_dir.disk_space import require_disk_space
from appliance.data_dir.logfiles import last_lines, lines_since, size_of
from appliance.data_dir.secrets import Secrets, ensure_secrets, read_secrets, with_secrets
from appliance.data_dir.state import ProcessRecord, State, read_state, write_state
from appliance.errors import MigrationFailed, RuntimeUnavailable, StartFailed
from appliance.model.receipts import Receipts
from appliance.model.services import ApplianceStatus, DiskStatus, QueueStatus
from appliance.orchestrator.catalog import own_environ, own_services
from appliance.orchestrator.control_socket import remove_socket
from appliance.orchestrator.host.listener import WebListener, claim_web_port, require_grpc_port
from appliance.orchestrator.host.ports import MOST_PORT_CHANGES, local_host_name, lost_ports
from appliance.orchestrator.processes.child import (
    Launcher,
    Process,
    ProcessSpec,
    describe_exit,
    launch_process,
    stop_process,
)
from appliance.orchestrator.processes.handle import ProcessHandle
from appliance.orchestrator.processes.meter import ProcessMeter
from appliance.orchestrator.processes.stale import mark_processes, record_of, stop_stale_processes
from appliance.orchestrator.progress import ProgressEvent, PullProgress, Ready, Report, StepDone, Timer
from appliance.orchestrator.runtimes.embedded.runtime import remove_sockets
from appliance.orchestrator.runtimes.factory import chosen_runtime, open_runtime
from appliance.orchestrator.status import disk_status, service_status
from appliance.orchestrator.supervisor import StartRequested, Supervisor
from appliance.own_command import own_command
from appliance.paths import DataDir

if TYPE_CHECKING:
    from appliance.storage.redis.client import Redis

START_TIMEOUT_S = 60.0
WARNING = "Warning: "
"""Prefix of the lines of `migrate` that are reported to the user."""
_STILL_MIGRATING_S = 10.0
_DISK_VALID_S = 15.0
_SAVE_STEP_EVERY_S = 1.0


class Appliance:
    """All services of one data directory, under one supervisor."""

    def __init__(self, settings: Settings, report: Report, launcher: Launcher = launch_process) -> None:
        self.data_dir = DataDir(settings.data_dir)
        self._report_to_starter = report
        self._step_saved_at = float("-inf")
        self._launcher = mark_processes(launcher, self.data_dir)
        self._timer = Timer()
        self.supervisor = Supervisor(on_change=self._save_state, never_restarted=("web",))
        self.state: State = State()
        self._meter = ProcessMeter()
        self._disk, self._disk_seen = DiskStatus(), -_DISK_VALID_S
        self._redis: Redis | None = None
        self.settings = settings
        self.secrets: Secrets
        self._listener: WebListener | None = None
        self._name = "localhost"
        self.stopping = asyncio.Event()

    async def prepare(self) -> None:
        """Stops stale processes, chooses ports and makes secrets. Needs the lock. Raises ConfigError and OSError."""
        self.state = read_state(self.data_dir)
        runtime = chosen_runtime(self.settings, self.state)
        self.settings = dataclasses.replace(self.settings, runtime=runtime)
        if self.state.control_socket:  # of a supervisor that was killed
            remove_socket(Path(self.state.control_socket), self.data_dir)
        sockets, self.state.sockets = self.state.sockets, {}
        self.state.url = self.state.step = self.state.control_socket = None
        self.state.supervisor = record_of("supervisor", os.getpid())
        write_state(self.data_dir, self.state)
        timer = Timer()
        if stopped := await asyncio.to_thread(stop_stale_processes, self.state.processes, self.data_dir):
            self._report(timer.step(f"cleaned up after an interrupted start: {', '.join(stopped)}"))
        remove_sockets(self.data_dir, sockets)
        self.secrets = ensure_secrets(self.data_dir, self.settings)
        require_disk_space(self.data_dir, runtime)
        self._listener = claim_web_port(self.settings.host, self.settings.port, self.state.ports.get("web"))
        self.state.ports["web"] = self._listener.port
        self.state.ports.pop("otlp-grpc", None)
        if self.settings.otlp_grpc_port:
            require_grpc_port(self.settings.host, self.settings.otlp_grpc_port)
            self.state.ports["otlp-grpc"] = self.settings.otlp_grpc_port
        ports = [self._listener.port, *([self.settings.otlp_grpc_port] if self.settings.otlp_grpc_port else [])]
        self._name = local_host_name(self.settings.host, ports)
        self.settings = with_secrets(dataclasses.replace(self.settings, port=self._listener.port), self.secrets)
        self.state.runtime, self.state.host = runtime, self.settings.host
        self.state.workers, self.state.web_workers = self.settings.workers, self.settings.web_workers
        await self._assemble(self._listener, avoid=())
        self._save_state()

    @property
    def url(self) -> str:
        """The address that users open."""
        return self.settings.public_url.rstrip("/") or self.local_url

    @property
    def local_url(self) -> str:
        """The address of web on this machine."""
        return f"http://{self._name}:{self.settings.port}"

    @property
    def otlp_grpc(self) -> str | None:
        """The address of OTLP over gRPC, None when it is off."""
        if not self.settings.otlp_grpc_port:
            return None
        return f"http://{self._name}:{self.settings.otlp_grpc_port}"

    async def start(self) -> None:
        """Starts all services and migrates; raises StartFailed, RuntimeUnavailable or MigrationFailed."""
        stores = [store.name for store in self.runtime.stores]
        own = [name for name in self.supervisor.services if name not in stores]
        await self.runtime.prepare(self._report)
        await self._start_stores(stores)
        await self._migrate()
        await self._start_together(own)
        self.state.url, self.state.local_url, self.state.step = self.url, self.local_url, None
        self._save_state()
        self._report(
            Ready(
                url=self.url,
                public_key=self.secrets.public_key,
                secret_key=self.secrets.secret_key,
                seconds=self._timer.seconds(),
            )
        )

    async def stop(self) -> None:
        """Stops web and the workers first, so that accepted data is written, then the stores."""
        stores = {store.name for store in self.runtime.stores}
        for names in ([name for name in self.supervisor.services if name not in stores], sorted(stores)):
            timer = Timer()
            running = [name for name in names if self.supervisor.services[name].state != "stopped"]
            await self.supervisor.stop(names)
            if running:
                self._report(timer.step(f"stopped {', '.join(running)}"))
        await self.runtime.close()
        if self._listener is not None:
            self._listener.close()
        self.state.url = self.state.local_url = None
        self.state.control_socket = self.state.supervisor = self.state.step = None
        self._save_state()

    async def status(self) -> ApplianceStatus:
        """The current state of all services."""
        now = self.supervisor.clock.now()
        services = await asyncio.gather(
            *(service_status(entry, self._meter, now) for entry in self.supervisor.services.values())
        )
        if now - self._disk_seen >= _DISK_VALID_S:
            self._disk, self._disk_seen = await asyncio.to_thread(disk_status, self.data_dir.root), now
        queue, receipts = await self._queue()
        return ApplianceStatus(
            healthy=all(service.healthy for service in services),
            url=self.url,
            otlp_grpc=self.otlp_grpc,
            runtime=self.runtime.name,
            data_dir=str(self.data_dir.root),
            services=services,
            queue=queue,
            receipts=receipts,
            disk=self._disk,
        )

    def _report(self, event: ProgressEvent) -> None:
        """Reports to the starter; saves the step once a second at most, for other commands that wait for this start."""
        self._report_to_starter(event)
        now = self.supervisor.clock.now()
        if (
            isinstance(event, (StepDone, PullProgress))
            and self.state.url is None
            and now - self._step_saved_at >= _SAVE_STEP_EVERY_S
        ):
            self._step_saved_at = now
            self.state.step = event.text if isinstance(event, StepDone) else f"fetching {event.image}"
            self._save_state()

    async def _assemble(self, listener: WebListener, avoid: Collection[int]) -> None:
        """Creates all services; the stores use none of the ports in `avoid`."""
        self.runtime = await open_runtime(self.settings, self.state, self.data_dir, self.secrets, self._launcher, avoid)
        self.settings = self.runtime.connect(self.settings)
        for service in (*self.runtime.stores, *own_services(self.settings, self._launcher, listener)):
            self.supervisor.add(service)

    async def _start_stores(self, names: Sequence[str]) -> None:
        """Starts the stores, on other ports when another program has taken theirs meanwhile."""
        avoid: set[int] = set()
        for attempt in range(1, MOST_PORT_CHANGES + 1):
            timer = Timer()
            try:
                return await self._start_together(names)
            except (StartFailed, RuntimeUnavailable) as error:
                await self.supervisor.stop(names)
                taken = lost_ports(error, self.runtime.shared_ports)
                if not taken or attempt == MOST_PORT_CHANGES or self._listener is None:
                    raise
            avoid |= taken
            await self.runtime.close()
            await self._assemble(self._listener, avoid)
            self._report(timer.step(f"port {', '.join(map(str, sorted(taken)))} was just taken"))
        return None

    async def _start_together(self, names: Sequence[str]) -> None:
        timer = Timer()
        for name in names:
            self.supervisor.request(StartRequested(name))
        for name in reversed(names):  # web is healthy only when a worker is: wait for the worker first
            try:
                await self.supervisor.wait_healthy(name, START_TIMEOUT_S)
            except StartFailed as error:
                raise StartFailed(f"{error.message}{self._last_log_lines(name)}", hint=error.hint) from None
            self._report(timer.step(f"{name} {self._health_text(name)}"))

    def _health_text(self, name: str) -> str:
        address = self.supervisor.services[name].service.address
        return f"answers at {address}" if address else "works"

    def _last_log_lines(self, name: str) -> str:
        lines = [line for line in last_lines(self.data_dir.log_file(name), 8) if line.strip()]
        return "\n  " + "\n  ".join(lines) if lines else ""

    async def _wait_for_migration(self, process: Process, timer: Timer) -> int:
        """Waits for the migrations and returns their exit code; reports their progress, as they may take long."""
        end = asyncio.ensure_future(process.wait())
        try:
            while not (await asyncio.wait({end}, timeout=_STILL_MIGRATING_S))[0]:
                last_line = "".join(last_lines(self.data_dir.log_file("migrate"), 1))
                self._report(timer.step(f"still migrating: {last_line}"))
            return end.result()
        finally:
            end.cancel()

    async def _migrate(self) -> None:
        """Runs the migrations in a child process: the supervisor would keep the memory of the drivers for ever."""
        timer = Timer()
        log = self.data_dir.log_file("migrate")
        before = size_of(log)
        spec = ProcessSpec(
            name="migrate",
            argv=own_command("appliance", "migrate"),
            log=log,
            environ=own_environ(self.settings),
            cwd=Path("/"),
        )
        process = await self._launcher(spec)
        try:
            code = await self._wait_for_migration(process, timer)
        except asyncio.CancelledError:
            await stop_process(process, spec)
            raise
        if code != 0:
            raise MigrationFailed(
                f"The migrations were not applied: migrate {describe_exit(code)}{self._last_log_lines('migrate')}"
            )
        self._report(timer.step("migrations applied"))
        self.secrets = read_secrets(self.data_dir) or self.secrets
        for line in lines_since(log, before):
            if line.startswith(WARNING):
                self._report(StepDone(text=f"warning: {line.removeprefix(WARNING)}", seconds=0.0))

    async def _queue(self) -> tuple[QueueStatus, dict[str, Receipts]]:
        """The queue and the receipts; empty while Redis does not answer."""
        from appliance.errors import StoreUnavailable
        from appliance.storage.redis.client import connect
        from appliance.storage.redis.ingest_stream import IngestStream
        from appliance.storage.redis.receipts import read_receipts

        if not self.supervisor.services["redis"].healthy:
            return QueueStatus(), {}
        self._redis = self._redis or connect(self.settings.redis)
        try:
            return await IngestStream(self._redis, self.settings.ingestion).backlog(), await read_receipts(self._redis)
        except StoreUnavailable:
            return QueueStatus(), {}

    def _save_state(self) -> None:
        records: list[ProcessRecord] = []
        for name, entry in self.supervisor.services.items():
            if isinstance(entry.handle, ProcessHandle) and entry.handle.pid is not None:
                record = record_of(name, entry.handle.pid, entry.handle.spec.stop_signal)
                records += [record] if record else []
        self.state.processes = records
        with contextlib.suppress(OSError):  # a full disk must not stop the supervisor
            write_state(self.data_dir, self.state)


@contextlib.asynccontextmanager
async def supervised(appliance: Appliance) -> AsyncIterator[None]:
    """Runs the supervisor's loop while the block runs, and stops all services afterwards."""
    loop = asyncio.create_task(appliance.supervisor.run())
    try:
        yield
    finally:
        await appliance.stop()
        loop.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await loop
