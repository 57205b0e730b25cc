"""Text that came from outside, made safe for a terminal."""

from __future__ import annotations

import codecs
import unicodedata
from typing import Final

STAND_IN: Final = "·"
REPLACE: Final = "langfuse-local-replace"
"""Name of an error handler of codecs: what an encoding lacks becomes as many `?` as it is wide, so columns stay."""
_PLAIN: Final = dict(zip("…–≈·→●▎│─▲▼", ".-~.>*||-^v", strict=True))
"""How signs of our own look where an encoding lacks them."""


def printable(text: str, keep: str = "") -> str:
    """The text with every character that a terminal could obey, or cannot show, replaced one for one.

    These are the control characters (C0, DEL, C1), marks that reorder or hide text, line separators, halves of
    surrogate pairs and unassigned code points. White space becomes a space. What stands in `keep` stays.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in keep else " " if char.isspace() else STAND_IN for char in text)


def on_one_line(text: str) -> str:
    """The text as `printable` leaves it, with its white space squeezed."""
    return " ".join(printable(text).split())


def _replacement(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_PLAIN.get(char) or "?" * _cells(char) for char in error.object[error.start : error.end]), error.end


def _cells(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


codecs.register_error(REPLACE, _replacement)
