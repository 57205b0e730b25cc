"""Normalises the ids of traces and observations."""

from __future__ import annotations

import re
from typing import Final

_HEX: Final = re.compile("[0-9a-fA-F]{16}|[0-9a-fA-F]{32}")


def canonical_id(text: str) -> str:
    """An id of OpenTelemetry in lower case, as its hex digits may have any case; any other id as it is.

    Ids of traces have 32 digits, those of spans 16.
    """
    return text if text.islower() or _HEX.fullmatch(text) is None else text.lower()


def parent_of(parent_id: str, id: str, trace_id: str) -> str:
    """The id of a parent; '' for the placeholders of programs without one: zeros, the id itself, that of the trace."""
    return "" if parent_id in (id, trace_id) or not parent_id.strip("0") else parent_id
