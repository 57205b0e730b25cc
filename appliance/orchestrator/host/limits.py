"""The resource limits of the shell (ulimit): raised as far as allowed, refused when too low."""

from __future__ import annotations

import contextlib
import resource
import sys

from appliance.errors import ConfigError

MOST_FILES = 10_240 if sys.platform == "darwin" else 65_536
LEAST_FILES = 256
"""Enough for web, worker and the stores under a small load."""
LEAST_ADDRESS_SPACE = 4 * 1024**3
"""Bytes that the engine of ClickHouse reserves under load; most of them it never touches."""


def raise_file_limit() -> None:
    """Raises the limit of open files as far as this user may, for the children too.

    Raises ConfigError when fewer may be opened than an appliance needs.
    """
    limit = _raise_limit(resource.RLIMIT_NOFILE, MOST_FILES)
    if limit < LEAST_FILES:
        raise ConfigError(
            f"This shell allows a process {limit} open files, and {LEAST_FILES} are needed.",
            hint=f"Raise the limit: ulimit -n {LEAST_FILES}",
        )


def require_address_space() -> None:
    """Raises ConfigError when the embedded ClickHouse could not reserve the memory that it works with."""
    limit = _raise_limit(resource.RLIMIT_AS, LEAST_ADDRESS_SPACE)
    if limit < LEAST_ADDRESS_SPACE:
        raise ConfigError(
            f"This shell allows a process {limit / 1e9:.1f} GB of address space, and the embedded ClickHouse needs "
            f"{LEAST_ADDRESS_SPACE / 1e9:.1f} GB.",
            hint="Lift the limit (ulimit -v unlimited), or use --runtime docker or external.",
        )


def _raise_limit(kind: int, wanted: int) -> int:
    """Raises the soft limit towards `wanted` as far as the hard one allows; returns the resulting limit."""
    soft, hard = (
        wanted if value == resource.RLIM_INFINITY else min(value, wanted) for value in resource.getrlimit(kind)
    )
    if soft < hard:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(kind, (hard, resource.getrlimit(kind)[1]))
            return hard
    return soft
