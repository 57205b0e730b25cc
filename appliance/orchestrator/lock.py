"""One supervisor per data directory: a lock that the kernel drops when its holder dies."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator

from appliance.errors import AlreadyRunning, ConfigError
from appliance.paths import DataDir


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
    try:
        descriptor = os.open(data_dir.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigError(*_words(data_dir, error)) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(f"An appliance already runs on {data_dir.root}.") from None
        yield
    finally:
        os.close(descriptor)


def is_held(data_dir: DataDir) -> bool:
    """Whether a supervisor lives on this data directory."""
    try:
        with exclusive(data_dir):
            return False
    except AlreadyRunning:
        return True
    except ConfigError:
        return False


def _words(data_dir: DataDir, error: OSError) -> tuple[str]:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (f"The disk of {data_dir.root} is full: free some space, or choose another --data-dir.",)
    return (f"{data_dir.root} cannot be written ({error.strerror}): choose another --data-dir.",)
