"""The status of an appliance as `status --json` prints it."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from appliance.data_dir.state import State
from appliance.errors import RuntimeUnavailable
from appliance.model.services import STORE_NAMES, ApplianceStatus, DiskStatus, RuntimeName, ServiceStatus
from appliance.orchestrator.processes.meter import ProcessMeter
from appliance.orchestrator.runtimes.contract import Measured
from appliance.orchestrator.supervisor import SupervisedService


async def service_status(entry: SupervisedService, meter: ProcessMeter, now: float) -> ServiceStatus:
    """The status of one service; `now` is in seconds of the supervisor's clock."""
    status = ServiceStatus(
        name=entry.service.name,
        state=entry.state,
        address=entry.service.address,
        healthy=entry.healthy,
        reason=None if entry.healthy else (entry.reason or entry.state),
    )
    if entry.handle is None:
        return status
    status.pid, status.container = entry.handle.pid, entry.handle.container
    status.uptime_s = round(now - entry.started_at, 1) if entry.started_at is not None else None
    if entry.handle.pid is not None:
        usage = meter.look(entry.handle.pid)
        status.pids, status.cpu_percent, status.rss_bytes = usage.pids, usage.cpu_percent, usage.rss_bytes
    elif isinstance(entry.handle, Measured):
        with contextlib.suppress(RuntimeUnavailable):  # the state shows already that the engine does not answer
            status.cpu_percent, status.rss_bytes = await entry.handle.measure()
    return status


def disk_status(root: Path) -> DiskStatus:
    """Bytes used below `root` (in blocks of the disk) and bytes free on its disk."""
    try:
        return DiskStatus(used_bytes=_used_bytes(root), free_bytes=shutil.disk_usage(root).free)
    except OSError:
        return DiskStatus()


def stopped_status(data_dir: Path, runtime: RuntimeName) -> ApplianceStatus:
    """The status when nothing runs."""
    services = [ServiceStatus(name=name, state="stopped", reason="stopped") for name in (*STORE_NAMES, "web", "worker")]
    return ApplianceStatus(
        healthy=False,
        url="",
        runtime=runtime,
        data_dir=str(data_dir),
        services=services,
        disk=disk_status(data_dir),
    )


def unknown_status(data_dir: Path, state: State, why: str) -> ApplianceStatus:
    """The status when the supervisor runs but does not answer: its processes as it last saved them."""
    services = [
        ServiceStatus(name=record.name, state="unknown", pid=record.pid, pids=[record.pid], reason=why)
        for record in state.processes
    ]
    return ApplianceStatus(
        healthy=False,
        url=state.url or "",
        runtime=state.runtime,
        data_dir=str(data_dir),
        services=services,
        disk=disk_status(data_dir),
    )


def _used_bytes(folder: Path) -> int:
    total = 0
    try:
        entries = list(os.scandir(folder))
    except OSError:  # removed meanwhile, or another user's
        return 0
    for entry in entries:
        try:
            total += entry.stat(follow_symlinks=False).st_blocks * 512
            if entry.is_dir(follow_symlinks=False):
                total += _used_bytes(Path(entry.path))
        except OSError:
            continue
    return total
