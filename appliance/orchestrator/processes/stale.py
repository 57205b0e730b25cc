"""Finds and stops processes that a killed supervisor left running.

They are found by their record (pid and creation time), by a mark in their environment, which exists from their start
on, and Postgres also by its pid file.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import psutil

from appliance.data_dir.state import ProcessRecord
from appliance.orchestrator.processes.child import Launcher, Process, ProcessSpec
from appliance.paths import DataDir

GRACE_S = 10.0
_SAME_MOMENT_S = 0.05
_APPLIANCE = "LANGFUSE_LOCAL_APPLIANCE"
_SERVICE = "LANGFUSE_LOCAL_SERVICE"


def mark_processes(launcher: Launcher, data_dir: DataDir) -> Launcher:
    """A launcher that names the appliance and the service in the environment of every process."""
    root = os.path.realpath(data_dir.root)

    async def launch(spec: ProcessSpec) -> Process:
        marks = {_APPLIANCE: root, _SERVICE: spec.name}
        return await launcher(dataclasses.replace(spec, environ={**spec.environ, **marks}))

    return launch


def record_of(name: str, pid: int, stop_signal: int = signal.SIGTERM) -> ProcessRecord | None:
    """The record of a running process, None when it has ended already."""
    try:
        return ProcessRecord(name=name, pid=pid, create_time=psutil.Process(pid).create_time(), stop_signal=stop_signal)
    except psutil.NoSuchProcess:
        return None


def find_process(record: ProcessRecord) -> psutil.Process | None:
    """The process of a record, None when it has ended, also when its pid was reused."""
    try:
        process = psutil.Process(record.pid)
        same = abs(process.create_time() - record.create_time) < _SAME_MOMENT_S
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def stop_stale_processes(records: Sequence[ProcessRecord], data_dir: DataDir, grace_s: float = GRACE_S) -> list[str]:
    """Stops the processes of `records` and all others with this data directory's mark; returns their services' names.

    Waits up to `grace_s` seconds, then kills. On return all have ended.
    """
    marked = marked_processes(data_dir)
    family = {process.pid: process for process in marked}
    # Children of a marked process are stopped by it.
    heads = [process for process in marked if _parent_pid(process) not in family]
    stale = {record.pid: record for record in [*map(_record_of_marked, heads), *records, *_postgres_record(data_dir)]}
    running = {record.pid: process for record in stale.values() if (process := find_process(record)) is not None}
    for pid, process in running.items():
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(stale[pid].stop_signal)
    _, stubborn = psutil.wait_procs(list({**family, **running}.values()), timeout=grace_s)
    for process in stubborn:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=5)
    return sorted({stale[pid].name for pid in running})


def marked_processes(data_dir: DataDir) -> list[psutil.Process]:
    """All processes with this data directory's mark, except this one."""
    root = os.path.realpath(data_dir.root)
    processes: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(_APPLIANCE) == root:
                processes.append(process)
        except (psutil.Error, OSError):  # ended, a zombie, or another user's
            continue
    return processes


def _parent_pid(process: psutil.Process) -> int:
    try:
        return process.ppid()
    except psutil.NoSuchProcess:
        return 0


def _record_of_marked(process: psutil.Process) -> ProcessRecord:
    try:
        name, created = process.environ().get(_SERVICE, "a process"), process.create_time()
    except psutil.Error:
        name, created = "a process", 0.0
    stop_signal = signal.SIGINT if name == "postgres" else signal.SIGTERM
    return ProcessRecord(name=name, pid=process.pid, create_time=created, stop_signal=stop_signal)


def _postgres_record(data_dir: DataDir) -> list[ProcessRecord]:
    pid_file: Path = data_dir.postgres / "data" / "postmaster.pid"
    try:
        with os.fdopen(os.open(pid_file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
            owner = os.fstat(file.fileno()).st_uid
            process = psutil.Process(int(file.readline()))
        # Whoever can write the file could name any process: it must be its owner's server on this data directory.
        is_server = process.name().startswith("postgres") and process.uids().real == owner
        if not is_server or str(pid_file.parent) not in process.cmdline():
            return []
        record = record_of("postgres", process.pid, signal.SIGINT)
    except (OSError, ValueError, psutil.Error):
        return []
    return [record] if record else []
