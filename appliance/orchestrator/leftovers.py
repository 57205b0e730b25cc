"""Processes that a killed supervisor left behind: found by pid and creation time, and ended gracefully."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Sequence
from pathlib import Path

import psutil

from appliance.orchestrator.state import ProcessRecord
from appliance.paths import DataDir

GRACE_S = 10.0
_SAME_MOMENT_S = 0.05


def record_of(name: str, pid: int, stop_signal: int = signal.SIGTERM) -> ProcessRecord | None:
    """The record of a running process, None when it has gone already."""
    try:
        return ProcessRecord(name=name, pid=pid, create_time=psutil.Process(pid).create_time(), stop_signal=stop_signal)
    except psutil.NoSuchProcess:
        return None


def find(record: ProcessRecord) -> psutil.Process | None:
    """The process of a record, None when it has ended (also when its pid went to another one)."""
    try:
        process = psutil.Process(record.pid)
        same = abs(process.create_time() - record.create_time) < _SAME_MOMENT_S
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def end_leftovers(records: Sequence[ProcessRecord], data_dir: DataDir, grace_s: float = GRACE_S) -> list[str]:
    """Ends what still runs of `records`, and a Postgres that the records missed; the names of what was ended.

    Waits up to `grace_s` seconds, then kills. Postgres is told from its own pid file too, because a supervisor can die
    between starting it and writing it down.
    """
    wanted = {record.pid: record for record in [*records, *_postgres_record(data_dir)]}
    alive = {record.name: process for record in wanted.values() if (process := find(record)) is not None}
    for record in wanted.values():
        if record.name in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                alive[record.name].send_signal(record.stop_signal)
    _, stubborn = psutil.wait_procs(list(alive.values()), timeout=grace_s)
    for process in stubborn:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=5)
    return list(alive)


def _postgres_record(data_dir: DataDir) -> list[ProcessRecord]:
    pid_file: Path = data_dir.postgres / "data" / "postmaster.pid"
    try:
        lines = pid_file.read_text().splitlines()
        process = psutil.Process(int(lines[0]))
        if not process.name().startswith("postgres") or lines[1] not in " ".join(process.cmdline()):
            return []
        record = record_of("postgres", process.pid, signal.SIGINT)
    except (OSError, ValueError, IndexError, psutil.Error):
        return []
    return [record] if record else []
