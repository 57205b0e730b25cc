"""Counts of accepted requests by their outcomes."""

from __future__ import annotations

import msgspec


class Count(msgspec.Struct, kw_only=True):
    """A number of requests, and of the spans or events in them."""

    requests: int = 0
    items: int = 0


class Receipts(msgspec.Struct, kw_only=True):
    """One project's requests since its first one; `accepted` is the sum of all others."""

    accepted: Count = msgspec.field(default_factory=Count)
    waiting: Count = msgspec.field(default_factory=Count)
    """In the queue."""
    written: Count = msgspec.field(default_factory=Count)
    refused: Count = msgspec.field(default_factory=Count)
    """Scores that break the config they name: not stored, though the rest of their request was written."""
    dead: Count = msgspec.field(default_factory=Count)
    """Among the dead letters."""
    dropped: Count = msgspec.field(default_factory=Count)
    """Dead letters that a user dropped."""
