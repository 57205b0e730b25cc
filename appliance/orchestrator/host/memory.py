"""How much memory we may use: the machine's, or less in a control group."""

from __future__ import annotations

from pathlib import Path

import psutil

MIB = 1024 * 1024


def memory_limit_bytes(cgroup_root: Path = Path("/sys/fs/cgroup"), membership: Path = Path("/proc/self/cgroup")) -> int:
    """Bytes of memory that this process and its children may use: the machine's, or the lowest control group limit."""
    return min([psutil.virtual_memory().total, *_cgroup_limits(cgroup_root, membership)])


def share_of_memory(total: int, fraction: float, lowest: int, highest: int) -> int:
    """A fraction of `total` bytes, kept between `lowest` and `highest`."""
    return max(lowest, min(highest, int(total * fraction)))


def _cgroup_limits(root: Path, membership: Path) -> list[int]:
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return []
    limits: list[int] = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        base, name = (root, "memory.max") if not controllers else (root / "memory", "memory.limit_in_bytes")
        group = base / path.lstrip("/")
        for folder in [group, *group.parents]:
            if not folder.is_relative_to(base):
                break
            limits += _read_limit(folder / name)
    return limits


def _read_limit(file: Path) -> list[int]:
    try:
        return [int(file.read_text())]
    except (OSError, ValueError):
        return []
