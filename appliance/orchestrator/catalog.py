"""The services of an appliance, in the order they start: the stores of the runtime, then web and the workers."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from appliance.config import Settings, to_environ
from appliance.errors import StoreUnavailable
from appliance.orchestrator.probes import ask_redis, probe_http
from appliance.orchestrator.processes import Launcher, ProcessSpec, inherited_environ
from appliance.orchestrator.runtimes.contract import Service, Unit
from appliance.orchestrator.units import launch_unit
from appliance.paths import DataDir

STORE_NAMES = ("postgres", "redis", "clickhouse")


@dataclass(frozen=True, slots=True)
class WebService:
    """The HTTP server; healthy when its own health check says that data flows."""

    settings: Settings
    launcher: Launcher
    name: str = "web"
    managed: bool = True

    @property
    def address(self) -> str:
        return f"{url_host(self.settings.host)}:{self.settings.port}"

    async def launch(self) -> Unit:
        return await launch_unit(self.launcher, _own_process(self.settings, self.name, "web"))

    async def check(self, unit: Unit) -> None:
        address = f"{url_host(reachable_host(self.settings.host))}:{self.settings.port}"
        status, body = await probe_http(f"http://{address}", path="/api/public/health")
        if status != 200:
            raise StoreUnavailable(_health_reason(body) or f"web answers with status {status}.")


@dataclass(frozen=True, slots=True)
class WorkerService:
    """One worker; healthy as long as it renews its heartbeat in Redis."""

    settings: Settings
    launcher: Launcher
    name: str
    consumer: str
    managed: bool = True
    address: str | None = None

    async def launch(self) -> Unit:
        spec = _own_process(self.settings, self.name, "worker", "--name", self.consumer)
        return await launch_unit(self.launcher, spec)

    async def check(self, unit: Unit) -> None:
        if await ask_redis(self.settings.redis.url, "EXISTS", f"langfuse:worker:{self.consumer}") != b":1":
            raise StoreUnavailable("The worker gives no sign of life.")


def own_services(settings: Settings, launcher: Launcher) -> Sequence[Service]:
    """web and the workers; one worker is called `worker`, several `worker-1`, `worker-2` ..."""
    workers = [
        WorkerService(settings, launcher, "worker" if settings.workers == 1 else f"worker-{number}", f"worker-{number}")
        for number in range(1, settings.workers + 1)
    ]
    return [WebService(settings, launcher), *workers]


def own_environ(settings: Settings) -> Mapping[str, str]:
    """The environment of our own processes: what a store gets, and all settings."""
    return {**inherited_environ(), **to_environ(settings), "PYTHONUNBUFFERED": "1", "PYTHONSAFEPATH": "1"}


def reachable_host(host: str) -> str:
    """Where a server that listens on `host` can be reached from this machine."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)


def url_host(host: str) -> str:
    """A host as it stands in an address; IPv6 goes in brackets."""
    return f"[{host}]" if ":" in host else host


def _own_process(settings: Settings, name: str, *arguments: str) -> ProcessSpec:
    return ProcessSpec(
        name=name,
        argv=(sys.executable, "-m", "appliance", *arguments),
        log=DataDir(settings.data_dir).log_file(name),
        environ=own_environ(settings),
        cwd=Path("/"),
    )


def _health_reason(body: bytes) -> str:
    try:
        answer = msgspec.json.decode(body, type=dict[str, object])
    except msgspec.DecodeError:
        return ""
    reasons = answer.get("reasons")
    return " ".join(str(reason) for reason in reasons) if isinstance(reasons, list) else str(answer.get("status", ""))
