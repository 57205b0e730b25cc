"""Files and folders that only this user can read, whatever the umask, and checks that nobody else wrote them."""

from __future__ import annotations

import contextlib
import errno
import os
import pwd
import stat
from pathlib import Path

from appliance.errors import ConfigError

_WRITABLE_BY_OTHERS = 0o022


def write_private(path: Path, text: str, *, lasting: bool = True) -> None:
    """Writes `text` atomically with mode 0600. Writes nothing when the file holds it already: the disk may be full.

    Text that is not `lasting` is not synced: it may be lost when the machine crashes.
    """
    data = text.encode()
    if _holds(path, data):
        return
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(data)
        if lasting:
            file.flush()
            os.fsync(file.fileno())  # some disks say only here that they are full
    draft.replace(path)


def read_private(path: Path) -> bytes:
    """The content of a file that no untrusted user can have written; raises OSError, PermissionError for others.

    Trusted are this user and root. Root may also look at another user's appliance, so for root the owner of the folder
    is trusted too; commands that act on the content require the folder to be their own (`restrict_to_owner`).
    """
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
        status = os.fstat(file.fileno())
        trusted = {0, os.geteuid() or path.parent.stat().st_uid}
        if status.st_uid not in trusted or status.st_mode & _WRITABLE_BY_OTHERS:
            raise PermissionError(errno.EPERM, "another user may have written it", str(path))
        return file.read()


def make_private_folder(folder: Path) -> None:
    """Creates a folder with mode 0700, or sets that mode on an existing one of this user; raises OSError."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid == os.geteuid():
        folder.chmod(0o700)


def restrict_to_owner(folder: Path) -> None:
    """Removes the rights of other users on a folder of this user; raises ConfigError when another user owns it.

    Root leaves others the right to enter, which Postgres' user needs.
    """
    status = folder.stat()
    if status.st_uid == os.geteuid():
        mode = status.st_mode & (0o711 if status.st_uid == 0 else 0o700)
        if stat.S_IMODE(status.st_mode) != mode:
            folder.chmod(mode)
    elif status.st_uid != 0:
        raise ConfigError(
            f"{folder} belongs to {_name(status.st_uid)}, who could replace what lies there.",
            hint="Run this command as that user, or choose another --data-dir.",
        )


def open_log(path: Path) -> int:
    """Opens a log for appending, with mode 0600; a symbolic link in its place is removed. Raises OSError."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        path.unlink()
        descriptor = os.open(path, flags, 0o600)
    with contextlib.suppress(OSError):  # another's file, in a folder that is open to several users
        os.fchmod(descriptor, 0o600)
    return descriptor


def _holds(path: Path, data: bytes) -> bool:
    try:
        return read_private(path) == data and stat.S_IMODE(path.stat().st_mode) == 0o600
    except OSError:
        return False


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"the user with the id {uid}"
