"""Just enough YAML to write a compose file that people like to read; nothing is ever parsed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_PLAIN = re.compile(r"[A-Za-z/.][A-Za-z0-9_./@-]*( [A-Za-z0-9_./@-]+)*")
_RESERVED = {"true", "false", "null", "yes", "no", "on", "off"}


@dataclass(frozen=True, slots=True)
class Anchored:
    """A mapping that gets a name, so that it can stand in several places."""

    name: str
    value: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Alias:
    """The place of an anchored mapping."""

    name: str


def yaml_text(value: Mapping[str, Any], depth: int = 0) -> str:
    """A mapping as YAML: keys in their order, short sequences on one line."""
    return "".join(_entry(key, item, depth) for key, item in value.items())


def _entry(key: str, item: Any, depth: int) -> str:
    pad = "  " * depth
    if isinstance(item, Anchored):
        return f"{pad}{key}: &{item.name}\n{yaml_text(item.value, depth + 1)}"
    if isinstance(item, Mapping) and item:
        return f"{pad}{key}:\n{yaml_text(item, depth + 1)}"
    if isinstance(item, Sequence) and not isinstance(item, str) and item:
        if all(isinstance(part, str) for part in item) and len(json.dumps(list(item))) < 90:
            return f"{pad}{key}: {json.dumps(list(item))}\n"
        return f"{pad}{key}:\n" + "".join(_item(part, depth + 1) for part in item)
    return f"{pad}{key}:\n" if item is None else f"{pad}{key}: {_scalar(item)}\n"


def _item(part: Any, depth: int) -> str:
    pad = "  " * depth
    if isinstance(part, Mapping):
        return f"{pad}- {yaml_text(part, depth + 1).lstrip()}"
    return f"{pad}- {_scalar(part)}\n"


def _scalar(value: Any) -> str:
    if isinstance(value, Alias):
        return f"*{value.name}"
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and value.lower() not in _RESERVED
        return value if plain else json.dumps(value)
    return json.dumps(value)
