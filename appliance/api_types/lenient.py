"""Reads the answers of servers of other versions, whose fields may be null or of another type."""

from __future__ import annotations

from typing import Any, Final, TypeVar

import msgspec

T = TypeVar("T")

_USERS_OWN: Final = frozenset({"input", "output", "expectedOutput", "metadata", "config", "prompt", "modelParameters"})
"""Fields with JSON of the user, where null is a value like any other."""


def convert(value: Any, into: type[T]) -> T:
    """JSON into a type: null counts as absent, and numbers may be texts; raises msgspec.ValidationError."""
    return msgspec.convert(_without_nulls(value), into, strict=False)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    if isinstance(value, dict):
        return {
            key: item if key in _USERS_OWN else _without_nulls(item) for key, item in value.items() if item is not None
        }
    return value
