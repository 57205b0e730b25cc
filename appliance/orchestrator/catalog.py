"""The services of an appliance, in the order they start: the stores of the runtime, then web and the workers."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from appliance.config import Settings, to_environ
from appliance.errors import ServiceSilent, StoreUnavailable
from appliance.orchestrator.host.listener import WebListener
from appliance.orchestrator.host.ports import reachable_host, url_host
from appliance.orchestrator.processes.child import Launcher, Process, ProcessSpec, inherited_environ
from appliance.orchestrator.processes.handle import ProcessHandle, start_process
from appliance.orchestrator.processes.probes import ask_http, ask_redis_of
from appliance.orchestrator.runtimes.contract import Service, ServiceHandle
from appliance.own_command import own_command
from appliance.paths import DataDir
from appliance.storage.redis.keys import key

INSTANCE_HEADER = "x-langfuse-local-instance"


@dataclass(frozen=True, slots=True)
class WebService:
    """The HTTP server; healthy when its own health check succeeds."""

    settings: Settings
    launcher: Launcher
    listener: WebListener
    instance: str = field(default_factory=lambda: secrets.token_hex(8))
    """Sent by its processes in a header, so that another server's answer is not mistaken for theirs."""
    name: str = "web"
    managed: bool = True

    @property
    def address(self) -> str:
        return f"{url_host(self.settings.host)}:{self.settings.port}"

    async def launch(self) -> ServiceHandle:
        descriptor = self.listener.open()
        arguments = ("web", "--fd", str(descriptor), "--instance", self.instance)
        spec = _own_process(self.settings, self.name, *arguments, pass_fds=(descriptor,))
        return WebHandle(await self.launcher(spec), spec, self.listener)

    async def check(self, handle: ServiceHandle) -> None:
        address = f"{url_host(reachable_host(self.settings.host))}:{self.settings.port}"
        answer = await ask_http(f"http://{address}", path="/api/public/health")
        if answer.headers.get(INSTANCE_HEADER) != self.instance:
            raise StoreUnavailable(f"Another server answers at {address}.")
        if answer.status != 200:
            raise StoreUnavailable(_health_reason(answer.body) or f"web answers with status {answer.status}.")


class WebHandle(ProcessHandle):
    """A web process; stopping it releases the port, a crash does not."""

    def __init__(self, process: Process, spec: ProcessSpec, listener: WebListener) -> None:
        super().__init__(process, spec)
        self._listener = listener

    async def stop(self) -> None:
        self._listener.close()
        await super().stop()


@dataclass(frozen=True, slots=True)
class WorkerService:
    """One worker; healthy while it renews its heartbeat in Redis."""

    settings: Settings
    launcher: Launcher
    name: str
    consumer: str
    managed: bool = True
    address: str | None = None

    async def launch(self) -> ServiceHandle:
        spec = _own_process(self.settings, self.name, "worker", "--name", self.consumer)
        return await start_process(self.launcher, spec)

    async def check(self, handle: ServiceHandle) -> None:
        try:
            beat = await ask_redis_of(self.settings.redis, "GET", key("worker", self.consumer))
        except ServiceSilent as error:  # that is Redis' fault, not the worker's
            raise StoreUnavailable(error.message) from error
        # The heartbeat of a killed predecessor stays for some seconds: only that of this process counts.
        if beat.startswith(b"$") or msgspec.json.decode(beat, type=_Beat).pid != handle.pid:
            raise ServiceSilent("The worker gives no sign of life.")


class _Beat(msgspec.Struct):
    pid: int


def own_services(settings: Settings, launcher: Launcher, listener: WebListener) -> Sequence[Service]:
    """Web and the workers; a single worker is called `worker`, several `worker-1`, `worker-2` ..."""
    workers = [
        WorkerService(settings, launcher, "worker" if settings.workers == 1 else f"worker-{number}", f"worker-{number}")
        for number in range(1, settings.workers + 1)
    ]
    return [WebService(settings, launcher, listener), *workers]


def own_environ(settings: Settings) -> Mapping[str, str]:
    """The environment of our own processes: that of a store, and all settings."""
    return {**inherited_environ(), **to_environ(settings)}


def _own_process(settings: Settings, name: str, *arguments: str, pass_fds: tuple[int, ...] = ()) -> ProcessSpec:
    return ProcessSpec(
        name=name,
        argv=own_command("appliance", *arguments),
        log=DataDir(settings.data_dir).log_file(name),
        environ=own_environ(settings),
        cwd=Path("/"),
        pass_fds=pass_fds,
    )


def _health_reason(body: bytes) -> str:
    try:
        answer = msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    reasons = answer.get("reasons")
    return " ".join(str(reason) for reason in reasons) if isinstance(reasons, list) else str(answer.get("status", ""))
