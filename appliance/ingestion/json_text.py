"""JSON as stored text: strings stay as they were sent, everything else becomes compact JSON."""

from __future__ import annotations

import ast
from typing import Any, Final

import msgspec

_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder()


def to_text(value: Any) -> str:
    """The text that a value is stored as; a string is not quoted."""
    return value if isinstance(value, str) else _encoder.encode(value).decode()


def to_json(value: Any) -> str:
    """The value as compact JSON; a string is quoted."""
    return _encoder.encode(value).decode()


def parse(text: str) -> Any:
    """The value of a JSON text; raises ValueError when it is none."""
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error


def parse_or_keep(value: Any) -> Any:
    """The value of a JSON text, or what was given when it is not one."""
    if not isinstance(value, str):
        return value
    try:
        return parse(value)
    except ValueError:
        return value


def parse_object(value: Any) -> dict[str, Any] | None:
    """The object that a JSON text (or a dict) holds; None when it is anything else."""
    found = parse_or_keep(value)
    return found if isinstance(found, dict) else None


_MOST_LITERAL_CHARS: Final = 10_000


def parse_or_literal(value: Any) -> Any:
    """As `parse_or_keep`, and the value of an object that was written as Python does (`{'cached': 3}`)."""
    found = parse_or_keep(value)
    if not isinstance(found, str) or found[:1] != "{" or len(found) > _MOST_LITERAL_CHARS:
        return found
    try:
        return ast.literal_eval(found)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return found
