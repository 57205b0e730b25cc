"""Answers that only say what was done."""

from __future__ import annotations

import msgspec


class Message(msgspec.Struct):
    """Says what was done."""

    message: str
