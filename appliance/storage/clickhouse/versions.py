"""The newest versions of rows: tables replace rows by key only when parts merge, and hold all versions until then."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Protocol, TypeVar


class Version(Protocol):
    """A row of a table that is replaced by key."""

    event_ts: int
    is_deleted: int


Row = TypeVar("Row", bound=Version)


def newest(rows: Iterable[Row], key: Callable[[Row], Hashable]) -> list[Row]:
    """The newest version of each key, unless that marks it as deleted."""
    by_key: dict[Hashable, Row] = {}
    for row in rows:
        known = by_key.get(of := key(row))
        if known is None or row.event_ts >= known.event_ts:
            by_key[of] = row
    return [row for row in by_key.values() if not row.is_deleted]
