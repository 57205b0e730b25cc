"""Parts of a file: the Range header (RFC 9110, section 14)."""

from __future__ import annotations

import re
from typing import Final

_RANGE: Final = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.IGNORECASE)


class Unsatisfiable(ValueError):
    """The range lies beyond the end of the file."""


def parse_range(header: str | None, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last of the requested range; None for the whole file.

    Unsupported forms, several ranges at once among them, count as no range, as the standard
    allows. Raises Unsatisfiable.
    """
    match = _RANGE.fullmatch(header or "")
    if match is None or match[1] == match[2] == "":
        return None
    if not match[1]:
        start, end = max(size - int(match[2]), 0), size
    else:
        start, end = int(match[1]), min(int(match[2]) + 1 if match[2] else size, size)
        if match[2] and int(match[2]) < start:
            return None
    if start >= end:
        raise Unsatisfiable(header)
    return start, end
