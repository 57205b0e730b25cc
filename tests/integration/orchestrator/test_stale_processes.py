"""Real processes: their marks, their groups, and what ends them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from appliance.data_dir.lock import make_folders
from appliance.orchestrator.processes.child import ProcessSpec, launch_process, stop_process
from appliance.orchestrator.processes.stale import (
    find_process,
    mark_processes,
    marked_processes,
    record_of,
    stop_stale_processes,
)
from appliance.paths import DataDir

SLEEP = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"
PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEP!r}]); {SLEEP}"


@pytest.fixture
def place(tmp_path: Path) -> DataDir:
    data_dir = DataDir(tmp_path)
    make_folders(data_dir)
    return data_dir


def spec(place: DataDir, program: str, name: str = "worker-1") -> ProcessSpec:
    return ProcessSpec(
        name=name,
        argv=(sys.executable, "-c", program),
        log=place.log_file(name),
        environ={"PATH": os.environ["PATH"]},
        grace_s=0.5,
    )


async def until_says(place: DataDir, times: int, name: str = "worker-1") -> None:
    async with asyncio.timeout(10):
        while place.log_file(name).read_text().count("up") < times:
            await asyncio.sleep(0.01)


async def test_what_nobody_wrote_down_is_found_by_its_mark(place: DataDir) -> None:
    process = await mark_processes(launch_process, place)(spec(place, PARENT))
    await until_says(place, 2)
    assert len(marked_processes(place)) == 2
    assert marked_processes(DataDir(place.root / "other")) == []
    assert await asyncio.to_thread(stop_stale_processes, [], place, 0.5) == ["worker-1"]
    assert marked_processes(place) == []
    assert not psutil.pid_exists(process.pid)


async def test_one_that_does_not_listen_is_killed(place: DataDir) -> None:
    process = await mark_processes(launch_process, place)(spec(place, STUBBORN))
    await until_says(place, 1)
    await asyncio.to_thread(stop_stale_processes, [], place, 0.3)
    assert not psutil.pid_exists(process.pid)


async def test_a_pid_that_went_to_another_process_is_left_alone(place: DataDir) -> None:
    process = await launch_process(spec(place, SLEEP))
    record = record_of("redis", process.pid)
    assert record is not None and find_process(record) is not None
    earlier = type(record)(name="redis", pid=process.pid, create_time=record.create_time - 60, stop_signal=15)
    assert find_process(earlier) is None
    assert await asyncio.to_thread(stop_stale_processes, [earlier], place) == []
    assert psutil.pid_exists(process.pid)
    await stop_process(process, spec(place, SLEEP))


async def test_children_of_a_killed_process_end_with_it(place: DataDir) -> None:
    process = await mark_processes(launch_process, place)(spec(place, PARENT))
    await until_says(place, 2)
    process.send(signal.SIGKILL)
    assert await process.wait() == -signal.SIGKILL
    async with asyncio.timeout(5):
        while marked_processes(place):
            await asyncio.sleep(0.01)
