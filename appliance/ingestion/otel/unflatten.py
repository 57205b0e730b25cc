"""Restores lists and objects from flattened attributes such as `0.role` and `0.content`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

MAX_ITEMS: Final = 10_000
"""Longer lists are cut, as a client can send any index."""
_MAX_DEPTH: Final = 64
"""Deeper levels stay one dotted key."""
_MAX_DIGITS: Final = 18


def unflatten(flat: Mapping[str, Any]) -> Any:
    """The nested value of dotted keys; an object whose keys are all numbers becomes a list."""
    tree: dict[str, Any] = {}
    for path, value in flat.items():
        *parents, leaf = path.split(".", _MAX_DEPTH)
        node = tree
        for name in parents:
            below = node.get(name)
            if not isinstance(below, dict):
                below = node[name] = {}
            node = below
        node[leaf] = value
    return _listed(tree)


def _listed(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node and all(_is_index(key) for key in node):
        ordered = sorted(node.items(), key=lambda item: int(item[0]))[:MAX_ITEMS]
        return [_listed(value) for _, value in ordered]
    return {key: _listed(value) for key, value in node.items()}


def _is_index(key: str) -> bool:
    return key.isascii() and key.isdigit() and len(key) <= _MAX_DIGITS
