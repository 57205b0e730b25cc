"""Answers of the public API as they were recorded, one a line in `answers/`; no release may change them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from appliance.web.responses import json_response

_FOLDER = Path(__file__).with_name("answers")


def recorded(noun: str) -> dict[str, Any]:
    """The recorded answers about one noun by their names."""
    content: dict[str, Any] = _decoded((_FOLDER / f"{noun}.json").read_bytes())
    return content


def sent(content: object) -> Any:
    """What a client gets when web answers with this."""
    return _decoded(bytes(json_response(content).body))


def _decoded(text: bytes) -> Any:
    """JSON whose numbers keep their form: 1 and 1.0 are not the same answer."""
    return json.loads(text, parse_int=lambda digits: ("number", digits), parse_float=lambda digits: ("number", digits))
