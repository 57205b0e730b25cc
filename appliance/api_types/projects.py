"""Projects."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType


class ApiOrganization(msgspec.Struct, kw_only=True):
    """The organization of a project."""

    id: str
    name: str = ""


class ApiProject(msgspec.Struct, kw_only=True, rename="camel"):
    """The project that a key belongs to."""

    id: str
    name: str = ""
    organization: ApiOrganization | UnsetType | None = UNSET
    metadata: Any = None
    retention_days: int | UnsetType | None = UNSET
    """After how many days its traces are deleted; only where they are."""
