"""One supervisor per data directory: a lock that the kernel drops when its holder dies."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator

from appliance.errors import AlreadyRunning, ConfigError
from appliance.orchestrator.room import no_room
from appliance.paths import DataDir

_PATIENCE_S = 0.05


def make_folders(data_dir: DataDir) -> None:
    """Makes the data directory; raises ConfigError in one sentence when it cannot be written."""
    try:
        data_dir.root.mkdir(parents=True, exist_ok=True)
        for folder in (data_dir.logs, data_dir.run):
            folder.mkdir(mode=0o700, exist_ok=True)
        probe = data_dir.run / "write-test"
        probe.write_bytes(b"\0" * 65536)
        probe.unlink()
    except OSError as error:
        raise ConfigError(*_words(data_dir, error)) from error


@contextlib.contextmanager
def exclusive(data_dir: DataDir) -> Iterator[None]:
    """Holds the data directory's lock; raises AlreadyRunning when another supervisor does."""
    with _locked(data_dir, fcntl.LOCK_EX):
        yield


@contextlib.contextmanager
def _locked(data_dir: DataDir, kind: int) -> Iterator[None]:
    try:
        descriptor = os.open(data_dir.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigError(*_words(data_dir, error)) from error
    try:
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                # Who only looks holds it for less than a millisecond.
                if kind == fcntl.LOCK_SH or time.monotonic() > deadline:
                    raise AlreadyRunning(f"An appliance already runs on {data_dir.root}.") from None
            time.sleep(0.005)
        yield
    finally:
        os.close(descriptor)


def is_held(data_dir: DataDir) -> bool:
    """Whether a supervisor lives on this data directory."""
    try:
        with _locked(data_dir, fcntl.LOCK_SH):
            return False
    except AlreadyRunning:
        return True
    except ConfigError:
        return False


def _words(data_dir: DataDir, error: OSError) -> tuple[str]:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (no_room(data_dir.root, 0),)
    return (f"{data_dir.root} cannot be written ({error.strerror}): choose another --data-dir.",)
