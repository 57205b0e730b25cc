"""CPU and memory use of processes, including their children."""

from __future__ import annotations

from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Usage:
    """The use of one service's processes."""

    pids: list[int]
    cpu_percent: float
    """Of one core, since the last call; 0 at the first."""
    rss_bytes: int


class ProcessMeter:
    """Keeps processes between calls, because CPU use is a difference."""

    def __init__(self) -> None:
        self._known: dict[int, psutil.Process] = {}

    def look(self, pid: int) -> Usage:
        """The use of a process and its children; empty when it has ended."""
        try:
            family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        except psutil.NoSuchProcess:
            self._known.pop(pid, None)
            return Usage([], 0.0, 0)
        pids: list[int] = []
        cpu, rss = 0.0, 0
        for current in family:
            process = self._known.get(current.pid, current)
            if process != current:  # the pid was reused
                process = current
            self._known[current.pid] = process
            try:
                with process.oneshot():
                    cpu += process.cpu_percent()
                    rss += process.memory_info().rss
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
            pids.append(current.pid)
        return Usage(pids, round(cpu, 1), rss)
