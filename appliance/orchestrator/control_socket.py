"""Where the control socket is: a path that is short enough, and that nobody else can take."""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
from pathlib import Path

from appliance.errors import StartFailed
from appliance.paths import DataDir

_LONGEST_PATH = 100
_NAME = "control.sock"


def place_of_socket(data_dir: DataDir) -> Path:
    """Where the control socket can be bound: in the data directory, else in a fresh folder that only this user enters.

    A socket's path must be short. Raises StartFailed when no place has one.
    """
    path = data_dir.run / _NAME
    if _is_short(path):
        return path
    for base in dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp")):
        if _is_short(Path(base) / "lfl-01234567" / _NAME):
            with contextlib.suppress(OSError):
                return Path(tempfile.mkdtemp(prefix="lfl-", dir=base)) / _NAME
    raise StartFailed(
        f"The control socket has no place: {data_dir.run} and the temporary directory have too long names.",
        hint="Set TMPDIR to a shorter one.",
    )


def remove_socket(path: Path, data_dir: DataDir) -> None:
    """The socket of `place_of_socket`, and the folder that was made for it."""
    with contextlib.suppress(OSError):  # on a disk that turned read-only it does no harm
        if path.name == _NAME:
            path.unlink(missing_ok=True)
        if path.parent != data_dir.run:
            path.parent.rmdir()


def _is_short(path: Path) -> bool:
    return len(os.fsencode(path)) <= _LONGEST_PATH


def listen_there(path: Path) -> socket.socket:
    """A socket that only this user can open; raises StartFailed."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    except OSError as error:
        raise StartFailed(f"The control socket {path} cannot be made: {error.strerror or error}.") from error
    finally:
        os.umask(before)
    listener.listen(64)
    return listener
