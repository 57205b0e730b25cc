"""Disk space: required before a start, and named in one sentence when a full disk made a start fail."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from appliance.errors import ApplianceError, ConfigError
from appliance.paths import DataDir

MB = 1_000_000
FIRST_START_BYTES = 400 * MB
"""What the embedded stores write before they answer, and what the health check of web requires."""
LATER_START_BYTES = 230 * MB
_FULL_BELOW_BYTES = 4 * MB
_FULL = (errno.ENOSPC, errno.EDQUOT)


def require_disk_space(data_dir: DataDir, runtime: str) -> None:
    """Raises ConfigError when the disk has too little free space for a start."""
    is_first = runtime == "embedded" and not (data_dir.postgres / "data").exists()
    needed = FIRST_START_BYTES if is_first else LATER_START_BYTES
    free = shutil.disk_usage(data_dir.root).free
    if free < needed:
        raise ConfigError(disk_full_message(data_dir.root, free, needed))


def disk_full_message(root: Path, free: int, needed: int = FIRST_START_BYTES) -> str:
    """The message about a full disk, with how many bytes to free."""
    missing = max(needed - free, MB) // MB
    return (
        f"No space left on the disk of {root}: {free // MB} MB are free. "
        f"Free at least {missing} MB more, or choose another --data-dir."
    )


def translate_error(error: ApplianceError | OSError, data_dir: DataDir) -> ApplianceError:
    """The error in one sentence; a full disk is named as such, whatever a store reported."""
    try:
        free = shutil.disk_usage(data_dir.root).free
    except OSError:
        free = FIRST_START_BYTES
    full = isinstance(error, OSError) and error.errno in _FULL
    if full or "No space left" in str(error) or free < _FULL_BELOW_BYTES:
        return ConfigError(disk_full_message(data_dir.root, free))
    if isinstance(error, OSError):
        return ConfigError(
            f"{error.filename or data_dir.root} cannot be used: {error.strerror}.", hint="Choose another --data-dir."
        )
    return error
