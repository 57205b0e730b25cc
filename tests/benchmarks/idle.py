"""Measure memory and processor time of all processes together over a minute without any request."""

from __future__ import annotations

import time

import psutil

from tests.acceptance.appliance_process import Appliance, new_appliance
from tests.benchmarks.report import say

QUIET_FOR_S = 20
WATCH_S = 60


def main() -> None:
    with new_appliance() as appliance:
        appliance.up()
        time.sleep(QUIET_FOR_S)
        processes = processes_of(appliance)
        names = {entry["name"] for entry in appliance.status()["services"]}
        assert names >= {"postgres", "redis", "clickhouse", "web", "worker"}, f"only {names} were looked at"
        before = sum(_cpu_s(process) for process in processes)
        time.sleep(WATCH_S)
        after = sum(_cpu_s(process) for process in processes)
        rss = sum(process.memory_info().rss for process in processes)
        pss = sum(process.memory_full_info().pss for process in processes)
        assert all(process.is_running() for process in processes), "a process ended meanwhile"
        assert after > before, "no process took any time: others were looked at"
    say(
        f"memory of {len(processes)} processes, what they share counted once; resident",
        f"{pss / 1e6:.0f}; {rss / 1e6:.0f} MB",
        "350 MB",
    )
    say("processor, idle", f"{100 * (after - before) / WATCH_S:.1f} % of one core", "1 %")


def processes_of(appliance: Appliance) -> list[psutil.Process]:
    """The supervisor, every service, and all their children."""
    services = [psutil.Process(entry["pid"]) for entry in appliance.status()["services"]]
    parents = [parent for service in services if (parent := service.parent()) is not None and parent.pid > 1]
    found = {process.pid: process for process in [*services, *parents]}
    for service in services:
        found |= {child.pid: child for child in service.children(recursive=True)}
    return list(found.values())


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


if __name__ == "__main__":
    main()
