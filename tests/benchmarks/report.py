"""How a benchmark says its figures: one line each, ready for docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Sequence

import psutil

from tests.acceptance.appliance_process import Appliance


def say(what: str, figure: str, goal: str = "") -> None:
    """Prints one row of a Markdown table."""
    print(f"| {what} | {figure} | {goal} |", flush=True)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which the given share (0 to 1) of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def processes_of(appliance: Appliance, *services: str) -> dict[str, list[psutil.Process]]:
    """The processes of some services of a running appliance."""
    return {name: [psutil.Process(pid) for pid in appliance.pids(name)] for name in services}


def cpu_s(processes: Sequence[psutil.Process]) -> float:
    """Seconds of processor time that these processes took since they began."""
    times = [process.cpu_times() for process in processes]
    return sum(time.user + time.system for time in times)


def rss_mb(processes: Sequence[psutil.Process]) -> float:
    """Resident memory in megabytes; what they share counts several times."""
    return sum(process.memory_info().rss for process in processes) / 1e6
