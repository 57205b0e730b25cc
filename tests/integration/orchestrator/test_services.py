"""What counts as healthy, asked of the real stores."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from appliance.config import Settings
from appliance.errors import StoreUnavailable
from appliance.orchestrator.catalog import WorkerService
from appliance.orchestrator.processes.child import launch_process
from appliance.orchestrator.processes.probes import ask_redis
from appliance.orchestrator.runtimes.embedded.postgres import is_ready


class ServiceHandle:
    """A handle that is only a pid."""

    container: str | None = None

    def __init__(self, pid: int) -> None:
        self.pid: int | None = pid

    async def wait(self) -> str:
        return ""

    async def stop(self) -> None: ...


async def test_a_predecessors_heartbeat_does_not_count(stores: Settings) -> None:
    worker = WorkerService(stores, launch_process, "worker", "worker-77")
    with pytest.raises(StoreUnavailable):
        await worker.check(ServiceHandle(os.getpid()))
    beat = msgspec.json.encode({"pid": os.getpid(), "in_hand": 0}).decode()
    await ask_redis(stores.redis.url, "SET", "{langfuse}:worker:worker-77", beat)
    await worker.check(ServiceHandle(os.getpid()))
    with pytest.raises(StoreUnavailable):
        await worker.check(ServiceHandle(os.getpid() + 1))
    await ask_redis(stores.redis.url, "DEL", "{langfuse}:worker:worker-77")


async def test_only_our_own_postgres_is_ready(stores: Settings, tmp_path: Path) -> None:
    pid_file = stores.data_dir / "postgres" / "data" / "postmaster.pid"
    pid = int(pid_file.read_text().splitlines()[0])
    assert is_ready(pid_file, pid)
    assert not is_ready(pid_file, pid + 1)
    assert not is_ready(tmp_path / "none", pid)
