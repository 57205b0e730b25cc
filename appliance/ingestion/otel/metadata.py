"""Metadata values as they are stored: strings as they are, everything else as JSON text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from appliance.ingestion.json_text import parse, to_text


def metadata_text(value: Any, *, is_json: bool = False) -> str:
    """The stored text of one value.

    With `is_json` strings come JSON-quoted (Python SDK 5): they lose the quotes, unless their content would be read
    back as a number, an object or the like.
    """
    if not isinstance(value, str):
        return to_text(value)
    if is_json and value[:1] == '"':
        try:
            inner = parse(value)
        except ValueError:
            return value
        return to_text(value) if _is_json(inner) else inner
    return to_text(value)


def metadata_of(value: Any, *, is_json: bool = False) -> dict[str, str]:
    """Metadata sent as one value: an object by its keys, anything else under the key `metadata`."""
    parsed = value
    if isinstance(value, str):
        try:
            parsed = parse(value)
        except ValueError:
            parsed = value
    if isinstance(parsed, Mapping):
        return {str(key): metadata_text(item) for key, item in parsed.items() if item is not None}
    return {} if parsed is None or parsed == "" else {"metadata": metadata_text(value, is_json=is_json)}


def take_text(attributes: dict[str, Any], names: Iterable[str]) -> str | None:
    """The first non-empty attribute of these names, as text; only that one is taken out."""
    name = next((name for name in names if attributes.get(name)), None)
    return None if name is None else to_text(attributes.pop(name))


def take_known(
    attributes: dict[str, Any], name: str, known: Mapping[str, str], *, chosen: str | None = None
) -> str | None:
    """The meaning of an attribute by a table; taken out only when it is known and equal to `chosen`, if that is set.

    An unknown word stays among the attributes, and so in the metadata.
    """
    meaning = known.get(str(attributes.get(name, "")).strip('"').lower())
    if meaning is not None and chosen in (None, meaning):
        del attributes[name]
    return meaning


def _is_json(text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True
