"""Normalises names of environments."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

DEFAULT: Final = "default"
MAX_LENGTH: Final = 40
_REMEMBERED_CHARS: Final = 200

_RESERVED = re.compile(r"^(?:langfuse[-_]?)+")
_ALLOWED = re.compile(r"[a-z0-9_-]+")


def normalise_environment(name: str | None) -> str:
    """The name in lower case without the reserved prefix, cut to 40 characters; `default` when nothing usable is left.

    Never an error (contract: server semantics 3.2).
    """
    if not name:
        return DEFAULT
    # Long names are not cached, so that clients cannot fill the memory.
    return _normalised(name) if len(name) <= _REMEMBERED_CHARS else _normalised.__wrapped__(name)


@lru_cache(maxsize=4096)
def _normalised(name: str) -> str:
    cut = _RESERVED.sub("", name.strip().lower())[:MAX_LENGTH]
    return cut if _ALLOWED.fullmatch(cut) else DEFAULT
