"""Whether a supervisor runs on a data directory, by its lock, state file and processes; writes nothing."""

from __future__ import annotations

from pathlib import Path

import psutil

from appliance.data_dir.lock import is_locked
from appliance.data_dir.state import State, read_state
from appliance.errors import ConfigError
from appliance.orchestrator.processes.stale import find_process
from appliance.paths import DataDir

FOREIGN_AFTER_S = 5.0
"""A supervisor saves its pid as soon as it has the lock: whoever has not after this time is another program."""
_LOCKS = Path("/proc/locks")


def supervisor_of(state: State) -> psutil.Process | None:
    """The supervisor's process, None when it has ended."""
    return find_process(state.supervisor) if state.supervisor else None


def describe_silence(state: State) -> str:
    """One sentence about a supervisor that does not answer, with what to do."""
    process = supervisor_of(state)
    if process is None:
        return "The supervisor does not answer."
    if process.status() == psutil.STATUS_STOPPED:
        return f"The supervisor does not answer (stopped, pid {process.pid}). Let it go on: kill -CONT {process.pid}"
    return f"The supervisor does not answer (pid {process.pid}). Stop it: langfuse-local down"


def is_suspended(state: State) -> bool:
    """Whether the supervisor is suspended by a signal, such as by Ctrl-Z in its terminal."""
    process = supervisor_of(state)
    return process is not None and process.status() == psutil.STATUS_STOPPED


def require_supervisor(data_dir: DataDir) -> None:
    """Raises ConfigError when another program than a supervisor holds the lock; call it after FOREIGN_AFTER_S."""
    if supervisor_of(read_state(data_dir)) is not None or not is_locked(data_dir):
        return
    raise ConfigError(
        f"{data_dir.lock_file} is locked{_lock_holder(data_dir)}, and no supervisor runs.",
        hint="End what holds the lock, and try again.",
    )


def _lock_holder(data_dir: DataDir) -> str:
    """` by NAME (pid N)` where this system shows it (proc(5), /proc/locks)."""
    try:
        inode = data_dir.lock_file.stat().st_ino
        for fields in map(str.split, _LOCKS.read_text().splitlines()):
            if "FLOCK" in fields and fields[-3].rpartition(":")[2] == str(inode) and "->" not in fields:
                pid = int(fields[-4])
                return f" by {psutil.Process(pid).name()} (pid {pid})"
    except (OSError, ValueError, IndexError, psutil.Error):
        pass
    return " by another program"
