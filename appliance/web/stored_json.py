"""Stored texts as JSON values of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from appliance.model.nesting import is_too_deep

_raw: Final = msgspec.json.Decoder(msgspec.Raw)


def parsed(text: str | None) -> object:
    """Stored text as JSON when it is JSON (digits keep their precision), else as the text; empty is null."""
    if not text:
        return None
    if text[0] not in '{["-0123456789tfn \n\t\r' or is_too_deep(text):
        return text
    try:
        return _raw.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return text


def parsed_values(texts: Mapping[str, str]) -> dict[str, Any]:
    """Metadata with every value parsed on its own."""
    return {key: "" if text == "" else parsed(text) for key, text in texts.items()}
