"""Limits the nesting of JSON text, as the limit of Python's parser differs between versions."""

from __future__ import annotations

from itertools import accumulate
from typing import Final

MOST_LEVELS: Final = 500
"""Python's `json` and recursive code in clients end at about a thousand levels."""

_PEELED: Final = 4
_ONE_KIND: Final = bytes.maketrans(b"{}", b"[]")
_OTHERS: Final = bytes(set(range(256)) - set(b"[]{}"))


def is_too_deep(text: str) -> bool:
    """Whether lists and objects of a JSON text are nested in more than MOST_LEVELS levels; takes linear time."""
    if text.count("[") + text.count("{") <= MOST_LEVELS:
        return False
    outside_of_strings = "".join(text.replace("\\\\", "").replace('\\"', "").split('"')[::2])
    signs = outside_of_strings.encode("ascii", "ignore").translate(_ONE_KIND, _OTHERS)
    # Strips the innermost levels first, which are nearly all: a loop over characters would take ten times as long.
    for peeled in range(1, _PEELED + 1):
        signs = signs.replace(b"[]", b"")
        if signs.count(b"[") + peeled <= MOST_LEVELS:
            return False
    return max(accumulate(1 if sign == ord("[") else -1 for sign in signs)) + _PEELED > MOST_LEVELS
