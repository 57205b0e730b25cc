"""Paths of Unix sockets: short enough, and in a folder that nobody else can enter."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from appliance.errors import StartFailed

_LONGEST_PATH = 100
"""Bytes; the kernel's limit is 107, on macOS 103."""


def choose_socket_path(folder: Path, name: str, forbidden: str = "") -> Path:
    """A path for a socket called `name`: in `folder`, else in a new temporary folder that only this user can enter.

    The path is short enough for a socket and has none of the `forbidden` characters. Raises StartFailed when no folder
    allows such a path.
    """
    path = folder / name
    if _is_usable(path, forbidden):
        return path
    for base in dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp")):
        if _is_usable(Path(base) / "lfl-01234567" / name, forbidden):
            with contextlib.suppress(OSError):
                return Path(tempfile.mkdtemp(prefix="lfl-", dir=base)) / name
    raise StartFailed(
        f"The socket {name} has no place: {folder} and the temporary directory have too long names.",
        hint="Set TMPDIR to a shorter one.",
    )


def remove_socket(path: Path, folder: Path) -> None:
    """Removes the socket, its lock file, and the folder that `choose_socket_path` made for it."""
    with contextlib.suppress(OSError):  # left on a disk that turned read-only, it does no harm
        path.unlink(missing_ok=True)
        path.with_name(f"{path.name}.lock").unlink(missing_ok=True)
        if path.parent != folder:
            path.parent.rmdir()


def display_path(path: Path, root: Path) -> str:
    """The path of a socket as shown to users: relative to the data directory `root` when it is below it."""
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


def _is_usable(path: Path, forbidden: str) -> bool:
    return len(os.fsencode(path)) <= _LONGEST_PATH and not set(forbidden) & set(str(path))
