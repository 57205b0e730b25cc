"""Refusals."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET


class ApiError(msgspec.Struct, kw_only=True):
    """Why a request was refused."""

    message: str
    error: Any = UNSET
    """The name of the error, or the list of issues with the fields of the request."""
