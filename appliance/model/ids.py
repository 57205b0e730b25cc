"""The ids of traces and their observations, whoever wrote them."""

from __future__ import annotations

import re
from typing import Final

_HEX: Final = re.compile("[0-9a-fA-F]{16}|[0-9a-fA-F]{32}")


def canonical_id(text: str) -> str:
    """The id in small letters when it is one of OpenTelemetry, whose hex digits may be of any case; else as it is.

    Those of traces have 32 digits, those of spans 16.
    """
    return text if text.islower() or _HEX.fullmatch(text) is None else text.lower()


def parent_of(parent_id: str, id: str, trace_id: str) -> str:
    """The id of a parent; '' for what programs write that have none: zeros, the id itself, that of the trace."""
    return "" if parent_id in (id, trace_id) or not parent_id.strip("0") else parent_id
