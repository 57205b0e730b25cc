"""The texts within a value, to see whether one value says something that another does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from appliance.ingestion.json_text import parse_or_keep

_MAX_DEPTH: Final = 16
_LABELS: Final = frozenset({"role", "type", "finish_reason", "id", "name", "event.name", "mime_type", "object"})
"""Keys of words that each convention chooses for itself."""


def adds_text(value: Any, known: Any) -> bool:
    """Whether a text or number in `value` stands nowhere in `known`; labels such as roles do not count."""
    if value is known or value == known or value in ("", [], {}):
        return False
    there = "\n".join(_texts(known))
    return any(text not in there for text in _texts(value))


def _texts(value: Any, depth: int = 0) -> Iterator[str]:
    """The leaves of a value, also of JSON that is written as a text; without escapes, as a `repr` has its own."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, str):
        found = parse_or_keep(value) if value[:1] in ("{", "[", '"') else value
        if found == value:
            yield value.replace("\\n", " ").replace("\n", " ").replace("\\", "").strip()
        else:
            yield from _texts(found, depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in _LABELS:
                yield from _texts(item, depth + 1)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item, depth + 1)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
