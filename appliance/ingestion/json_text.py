"""Values as stored text: strings stay as they were sent, everything else becomes compact JSON."""

from __future__ import annotations

import ast
import re
from typing import Any, Final

import msgspec

_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder()


def to_text(value: Any) -> str:
    """The stored text of a value; a string is not quoted."""
    if isinstance(value, str):
        return _with_letters(value) if "\\u" in value else value
    return _encoder.encode(value).decode()


def _with_letters(text: str) -> str:
    """JSON without escapes of letters, which Python's `json` writes, so that search finds the words.

    Halves of surrogate pairs and control characters stay escaped, and text that is not JSON stays as it is.
    """
    try:
        parse(text)
    except ValueError:
        return text
    return _ESCAPE.sub(_letter, text)


# A pair of surrogates, another code, or any other escape: two backslashes are one, and the `u` behind them is a letter.
_ESCAPE: Final = re.compile(
    r"\\(?:u(?P<high>[dD][89abAB][0-9a-fA-F]{2})\\u(?P<low>[dD][c-fC-F][0-9a-fA-F]{2})|u(?P<code>[0-9a-fA-F]{4})|.)",
    re.DOTALL,
)
_FIRST_LETTER: Final = 0xA0


def _letter(match: re.Match[str]) -> str:
    if high := match["high"]:
        return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(match["low"], 16) - 0xDC00)
    code = int(match["code"] or "0", 16)
    return chr(code) if code >= _FIRST_LETTER and not 0xD800 <= code <= 0xDFFF else match[0]


def to_json(value: Any) -> str:
    """The value as compact JSON; a string is quoted."""
    return _encoder.encode(value).decode()


def parse(text: str) -> Any:
    """The value of a JSON text; raises ValueError for invalid JSON."""
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error


def parse_or_keep(value: Any) -> Any:
    """The value of a JSON text; any other value stays as it is."""
    if not isinstance(value, str):
        return value
    try:
        return parse(value)
    except ValueError:
        return value


def parse_object(value: Any) -> dict[str, Any] | None:
    """The object of a JSON text, or a dict itself; None for anything else."""
    parsed = parse_or_keep(value)
    return parsed if isinstance(parsed, dict) else None


_MOST_LITERAL_CHARS: Final = 10_000


def parse_or_literal(value: Any) -> Any:
    """As `parse_or_keep`; also parses objects in Python's notation (`{'cached': 3}`)."""
    parsed = parse_or_keep(value)
    if not isinstance(parsed, str) or parsed[:1] != "{" or len(parsed) > _MOST_LITERAL_CHARS:
        return parsed
    try:
        return ast.literal_eval(parsed)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return parsed
