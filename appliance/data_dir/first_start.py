"""Cleans up after a first start that failed before anything was stored."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator

from appliance.data_dir.lock import hold_lock
from appliance.errors import AlreadyRunning, ApplianceError
from appliance.paths import DataDir


@contextlib.contextmanager
def remove_on_failure(data_dir: DataDir) -> Iterator[None]:
    """Removes the data directory if the block created it and failed before a store wrote to it."""
    existed = data_dir.root.exists()
    try:
        yield
    except AlreadyRunning:
        raise
    except (ApplianceError, OSError):
        if not existed and data_dir.root.is_dir():
            with contextlib.suppress(ApplianceError, OSError), hold_lock(data_dir):
                if _is_bare(data_dir):
                    shutil.rmtree(data_dir.root)
        raise


def _is_bare(data_dir: DataDir) -> bool:
    """Whether it holds only the files that every start creates first."""
    first = {data_dir.logs, data_dir.run, data_dir.secrets_file, data_dir.state_file, data_dir.lock_file}
    logs = {file.name for file in data_dir.logs.iterdir()} if data_dir.logs.is_dir() else set()
    return set(data_dir.root.iterdir()) <= first and logs <= {data_dir.log_file("supervisor").name}
