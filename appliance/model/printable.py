"""Text that came from outside, made safe for a terminal."""

from __future__ import annotations

STAND_IN = "·"


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
