"""Reading JSON columns, also values that other programs wrote."""

from __future__ import annotations

import json
import re
from typing import Any, Final

# An escaped backslash, a whole pair, or half of one; the type json takes half a pair, but no text can hold it.
_ESCAPE: Final = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


def read_json(stored: bytes | str) -> Any:
    """The value of a JSON column; half a surrogate pair becomes U+FFFD, a value nested too deeply its text."""
    text = stored if isinstance(stored, str) else stored.decode("utf-8", "replace")
    if "\\ud" in text or "\\uD" in text:
        text = _ESCAPE.sub(lambda match: "\\ufffd" if match[1] else match[0], text)
    try:
        return json.loads(text)
    except RecursionError:
        return text
