"""The checks of `doctor`: each result is ok, warn or fail, and says what to do."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from appliance.config import Settings
from appliance.data_dir.lock import is_locked
from appliance.data_dir.state import read_state
from appliance.errors import ApplianceError
from appliance.model.services import STORE_NAMES, USUAL_PORTS
from appliance.orchestrator.attached import attached_status, is_attached
from appliance.orchestrator.host.memory import memory_limit_bytes
from appliance.orchestrator.host.ports import is_free, port_holder
from appliance.orchestrator.runtimes.embedded.postgres_identity import require_name, user_of_postgres
from appliance.orchestrator.runtimes.embedded.postgres_install import find_install
from appliance.orchestrator.runtimes.embedded.redis import choose_server
from appliance.orchestrator.runtimes.external import ExternalRuntime
from appliance.orchestrator.runtimes.factory import chosen_runtime
from appliance.paths import DataDir

Level = Literal["ok", "warn", "fail"]
_GB = 1_000_000_000
_EARLIEST_TIME_S = 1_760_000_000  # since the epoch, when the project began; an earlier clock is wrong


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check."""

    subject: str
    level: Level
    text: str
    advice: str = ""

    def as_dict(self) -> dict[str, str]:
        return dataclasses.asdict(self)


def run_checks(settings: Settings) -> list[CheckResult]:
    """Runs all checks; starts and changes nothing."""
    if is_attached(settings):
        return [
            CheckResult("python", "ok", sys.version.split()[0]),
            *_check_attached(settings),
            *_check_resources(settings.data_dir),
            _check_clock(),
        ]
    return [
        CheckResult("python", "ok", sys.version.split()[0]),
        *_check_runtime(settings),
        *_check_resources(settings.data_dir),
        *_check_ports(settings),
        _check_clock(),
    ]


def _check_attached(settings: Settings) -> Iterator[CheckResult]:
    """Whether each service of the attached server answers."""
    for service in asyncio.run(attached_status(settings)).services:
        text = f"answers at {service.address}" if service.address else "gives a sign of life"
        yield CheckResult(
            service.name, "ok" if service.healthy else "fail", text if service.healthy else service.reason or ""
        )


def _check_runtime(settings: Settings) -> Iterator[CheckResult]:
    """Whether the runtime that the next start uses can run here."""
    name = chosen_runtime(settings, read_state(DataDir(settings.data_dir)))
    if name == "embedded":
        yield from _check_stores()
        return
    try:
        if name == "docker":
            yield CheckResult(name, "ok", f"version {asyncio.run(_docker_version(settings))}")
        else:
            ExternalRuntime(settings)
            yield CheckResult(name, "ok", "stores at the addresses of the environment")
    except ApplianceError as error:
        yield CheckResult(name, "fail", error.message, error.hint)


async def _docker_version(settings: Settings) -> str:
    from appliance.orchestrator.runtimes.docker.engine import DockerEngine
    from appliance.orchestrator.runtimes.docker.sockets import engine_address, usual_sockets

    engine = await DockerEngine.connect(engine_address(settings.docker.host, usual_sockets()))
    try:
        return (await engine.facts()).version
    finally:
        await engine.close()


def _check_stores() -> Iterator[CheckResult]:
    try:
        yield CheckResult("postgres", "ok", f"{find_install().major}, at {find_install().home}")
    except ApplianceError as error:
        yield CheckResult("postgres", "fail", error.message, error.hint)
    try:
        require_name()
        yield CheckResult("user", "ok", f"Postgres runs as {user_of_postgres()}")
    except ApplianceError as error:
        yield CheckResult("user", "fail", error.message, error.hint)
    try:
        binary, server = choose_server(None)
        yield CheckResult("redis", "ok", f"{server}, at {binary}")
    except ApplianceError as error:
        yield CheckResult("redis", "fail", error.message, error.hint)
    try:
        yield CheckResult("clickhouse", "ok", f"chdb-core {version('chdb-core')}")
    except PackageNotFoundError:
        yield CheckResult("clickhouse", "fail", "chdb-core is missing", "Install it, or use --runtime external.")


def _check_resources(root: Path) -> Iterator[CheckResult]:
    existing = next(folder for folder in (root, *root.parents) if folder.exists())
    writable = os.access(existing, os.W_OK | os.X_OK)
    yield CheckResult(
        "data dir", "ok" if writable else "fail", str(root), "" if writable else "Choose another --data-dir."
    )
    free = shutil.disk_usage(existing).free
    level: Level = "ok" if free > 5 * _GB else "warn" if free > _GB else "fail"
    yield CheckResult("disk", level, f"{free / _GB:.1f} GB free", "" if level == "ok" else "Free some space.")
    memory = memory_limit_bytes()
    level = "ok" if memory > 2 * _GB else "warn"
    yield CheckResult(
        "memory", level, f"{memory / _GB:.1f} GB", "" if level == "ok" else "2 GB or more are comfortable."
    )


def _check_ports(settings: Settings) -> Iterator[CheckResult]:
    if is_locked(DataDir(settings.data_dir)):
        yield CheckResult("ports", "ok", "in use by this appliance, which runs")
        return
    if settings.otlp_grpc_port:
        yield _check_grpc_port(settings)
    runtime = chosen_runtime(settings, read_state(DataDir(settings.data_dir)))
    stores = {"external": (), "embedded": ("clickhouse",)}.get(runtime, STORE_NAMES)
    for name, usual in USUAL_PORTS.items():
        if name not in ("web", *stores):
            continue  # it does not listen on a port of this machine
        port = settings.port or usual if name == "web" else usual
        if is_free("127.0.0.1", port):
            yield CheckResult(f"port {port}", "ok", f"free for {name}")
        else:
            yield CheckResult(f"port {port}", "warn", f"taken{port_holder(port)}", f"{name} will take another one.")


def _check_grpc_port(settings: Settings) -> CheckResult:
    port = settings.otlp_grpc_port
    if is_free(settings.host, port):
        return CheckResult(f"port {port}", "ok", "free for OTLP over gRPC")
    advice = "Stop it, or choose another LANGFUSE_LOCAL_OTLP_GRPC_PORT."
    return CheckResult(f"port {port}", "fail", f"taken{port_holder(port)}", advice)


def _check_clock() -> CheckResult:
    if time.time() < _EARLIEST_TIME_S:
        return CheckResult("clock", "fail", "far in the past", "Set the machine's clock: traces carry its time.")
    return CheckResult("clock", "ok", time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()))
