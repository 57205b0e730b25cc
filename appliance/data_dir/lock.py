"""One supervisor per data directory: a lock that the kernel drops when its holder dies."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import tempfile
import time
from collections.abc import Iterator

from appliance.data_dir.disk_space import disk_full_message
from appliance.data_dir.private_files import make_private_folder, restrict_to_owner
from appliance.errors import AlreadyRunning, ConfigError
from appliance.paths import DataDir

_PATIENCE_S = 0.05


def make_folders(data_dir: DataDir) -> None:
    """Creates the data directory for this user only; raises ConfigError when it cannot be written."""
    try:
        data_dir.root.parent.mkdir(parents=True, exist_ok=True)
        data_dir.root.mkdir(mode=0o700, exist_ok=True)
        restrict_to_owner(data_dir.root)
        for folder in (data_dir.logs, data_dir.run):
            make_private_folder(folder)
        with tempfile.TemporaryFile(dir=data_dir.run) as probe:
            probe.write(b"\0" * 65536)
    except OSError as error:
        raise ConfigError(*_message(data_dir, error)) from error


@contextlib.contextmanager
def hold_lock(data_dir: DataDir) -> Iterator[None]:
    """Holds the data directory's lock; raises AlreadyRunning when another supervisor does."""
    descriptor = _open_lock_file(data_dir)
    try:
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                # `is_locked` holds it for less than a millisecond.
                if time.monotonic() > deadline:
                    raise AlreadyRunning(f"An appliance already runs on {data_dir.root}.") from None
            time.sleep(0.005)
        yield
    finally:
        os.close(descriptor)


def _open_lock_file(data_dir: DataDir) -> int:
    """Opens the lock file, read-only if need be: the disk may have turned read-only, and flock works there too."""
    try:
        return os.open(data_dir.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno == errno.EROFS:
            with contextlib.suppress(OSError):
                return os.open(data_dir.lock_file, os.O_RDONLY | os.O_CLOEXEC)
        raise ConfigError(*_message(data_dir, error)) from error


def is_locked(data_dir: DataDir) -> bool:
    """Whether a supervisor holds the lock; False also when the lock file cannot be opened."""
    try:
        descriptor = os.open(data_dir.lock_file, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _message(data_dir: DataDir, error: OSError) -> tuple[str]:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (disk_full_message(data_dir.root, 0),)
    return (f"{data_dir.root} cannot be written ({error.strerror}): choose another --data-dir.",)
