"""Redis alone, under a supervisor: a disk that is full and then not, and a queue that vanished."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from appliance.data_dir.lock import make_folders
from appliance.errors import StoreUnavailable
from appliance.orchestrator.processes.child import launch_process
from appliance.orchestrator.processes.probes import ask_redis
from appliance.orchestrator.runtimes.embedded.redis import SOCKET, EmbeddedRedis
from appliance.orchestrator.runtimes.embedded.redis_data import read_record
from appliance.orchestrator.supervisor import StartRequested, Supervisor
from appliance.paths import DataDir

PASSWORD = "of-the-queue"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own of 8 MB."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m,mode=0700", "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"a small file system cannot be mounted: {mounted.stderr.decode().strip()}")
    try:
        yield tmp_path
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)


@contextlib.asynccontextmanager
async def running(root: Path) -> AsyncIterator[tuple[EmbeddedRedis, Supervisor]]:
    data_dir = DataDir(root)
    make_folders(data_dir)
    redis = EmbeddedRedis(data_dir, data_dir.run / SOCKET, PASSWORD, launch_process)
    supervisor = Supervisor()
    supervisor.add(redis)
    loop = asyncio.create_task(supervisor.run())
    supervisor.request(StartRequested("redis"))
    try:
        yield redis, supervisor
    finally:
        await supervisor.stop(["redis"])
        loop.cancel()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await condition():
            await asyncio.sleep(0.05)


async def test_redis_killed_on_a_full_disk_comes_back_once_there_is_room(small_disk: Path) -> None:
    async with running(small_disk) as (redis, supervisor):
        await supervisor.wait_healthy("redis", 30)
        assert await ask_redis(redis.url, "SET", "accepted", "yes") == b"+OK"
        ballast = small_disk / "ballast"
        with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(4096)):
                pass
        assert shutil.disk_usage(small_disk).free == 0
        entry = supervisor.services["redis"]
        killed = entry.handle
        assert killed is not None and killed.pid is not None
        os.kill(killed.pid, 9)

        async def was_started_anew() -> bool:
            return entry.handle is not killed and (entry.handle is not None or entry.failures > 1)

        await until(was_started_anew)
        ballast.unlink()

        async def takes_writes() -> bool:
            with contextlib.suppress(StoreUnavailable):
                return await ask_redis(redis.url, "SET", "later", "yes") == b"+OK"
            return False

        await until(takes_writes)
        await supervisor.wait_healthy("redis", 60)
        assert await ask_redis(redis.url, "GET", "accepted") == b"yes"
        with pytest.raises(StoreUnavailable, match="WRONGPASS"):
            await ask_redis(redis.url.replace(PASSWORD, "another"), "PING")


async def test_a_queue_that_vanished_is_never_healthy(tmp_path: Path) -> None:
    root = tmp_path / "d"
    async with running(root) as (_redis, supervisor):
        await supervisor.wait_healthy("redis", 30)
    record = read_record(root / "redis")
    assert record is not None and record.mark
    async with running(root) as (_redis, supervisor):
        await supervisor.wait_healthy("redis", 30)
    shutil.rmtree(root / "redis" / "appendonlydir")
    async with running(root) as (_redis, supervisor):
        entry = supervisor.services["redis"]

        async def is_told() -> bool:
            return "has lost its data" in (entry.reason or "")

        await until(is_told)
        assert not entry.healthy


async def test_nothing_of_the_login_lies_on_the_disk(tmp_path: Path) -> None:
    root = tmp_path / "d"
    async with running(root) as (_redis, supervisor):
        await supervisor.wait_healthy("redis", 30)
        files = [path for path in root.rglob("*") if path.is_file()]
        assert files and not [path for path in files if PASSWORD.encode() in path.read_bytes()]
