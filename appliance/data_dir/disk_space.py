"""Room on the disk: looked at before a start, and told in one sentence when it was what made a start fail."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from appliance.errors import ApplianceError, ConfigError
from appliance.paths import DataDir

MB = 1_000_000
FIRST_START_BYTES = 400 * MB
"""What the embedded stores write before they answer, and what health wants to see left."""
LATER_START_BYTES = 230 * MB
_FULL_BELOW_BYTES = 4 * MB
_FULL = (errno.ENOSPC, errno.EDQUOT)


def require_disk_space(data_dir: DataDir, runtime: str) -> None:
    """Raises ConfigError when the disk has not enough room for a start."""
    is_first = runtime == "embedded" and not (data_dir.postgres / "data").exists()
    needed = FIRST_START_BYTES if is_first else LATER_START_BYTES
    free = shutil.disk_usage(data_dir.root).free
    if free < needed:
        raise ConfigError(disk_full_message(data_dir.root, free, needed))


def disk_full_message(root: Path, free: int, needed: int = FIRST_START_BYTES) -> str:
    """The sentence about a full disk."""
    missing = max(needed - free, MB) // MB
    return (
        f"No space left on the disk of {root}: {free // MB} MB are free. "
        f"Free at least {missing} MB more, or choose another --data-dir."
    )


def translate_error(error: ApplianceError | OSError, data_dir: DataDir) -> ApplianceError:
    """The error in one sentence; a full disk is called so, however a store may have put it."""
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
