"""Merges the metadata of traces and observations from several sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

MAX_DEPTH: Final = 64
"""Depth below which objects and lists are replaced as a whole."""


def deep_merge(old: Any, new: Any, depth: int = 0) -> Any:
    """Objects merged by key and lists by position; elsewhere the new value wins."""
    if depth < MAX_DEPTH and isinstance(old, dict) and isinstance(new, dict):
        both = {key: deep_merge(old[key], value, depth + 1) if key in old else value for key, value in new.items()}
        return {**old, **both}
    if depth < MAX_DEPTH and isinstance(old, list) and isinstance(new, list):
        pairs = [deep_merge(a, b, depth + 1) for a, b in zip(old, new, strict=False)]
        return pairs + (old if len(old) > len(new) else new)[len(pairs) :]
    return new


def merge_into(old: dict[str, str], new: Mapping[str, str]) -> None:
    """Merge stored metadata (a text per key) into `old` by key, and deeply where both sides are JSON objects."""
    for key, after in new.items():
        before = old.get(key)
        if before is not None and before != after and before[:1] == after[:1] == "{":
            after = _merge_texts(before, after)
        old[key] = after


def _merge_texts(old: str, new: str) -> str:
    try:
        both = deep_merge(msgspec.json.decode(old), msgspec.json.decode(new))
    except (msgspec.DecodeError, RecursionError):
        return new
    return msgspec.json.encode(both).decode()
