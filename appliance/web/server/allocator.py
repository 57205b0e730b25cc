"""Makes glibc's allocator return large blocks: without it, a process keeps most of its peak memory."""

from __future__ import annotations

import ctypes
from typing import Final

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
_LARGE_BYTES: Final = 1024 * 1024
_ARENAS: Final = 2


def give_large_blocks_back() -> None:
    """Allocates blocks above 1 MiB by mmap, so that freeing returns them; does nothing with other C libraries."""
    try:
        tune = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # musl, macOS
        return
    tune(_M_MMAP_THRESHOLD, _LARGE_BYTES)
    tune(_M_ARENA_MAX, _ARENAS)
