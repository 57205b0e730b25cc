"""Score configs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType


class ScoreCategory(msgspec.Struct):
    """A label and its numeric value."""

    label: str
    value: float


class CreateScoreConfig(msgspec.Struct, kw_only=True, rename="camel"):
    """Creates a config."""

    name: str
    data_type: Annotated[
        Literal["NUMERIC", "CATEGORICAL", "BOOLEAN", "TEXT"], msgspec.Meta(extra={"discriminator": True})
    ]
    min_value: float | None = None
    max_value: float | None = None
    categories: list[ScoreCategory] | None = None
    description: str | None = None


class UpdateScoreConfig(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """Changes the fields that are set."""

    name: str | UnsetType = UNSET
    is_archived: bool | UnsetType = UNSET
    min_value: float | UnsetType | None = UNSET
    max_value: float | UnsetType | None = UNSET
    categories: list[ScoreCategory] | UnsetType | None = UNSET
    description: str | UnsetType | None = UNSET


class ApiScoreConfig(msgspec.Struct, kw_only=True, rename="camel"):
    """Which values the scores of a name may have."""

    id: str
    name: str = ""
    created_at: str = ""
    updated_at: str = ""
    project_id: str | None = None
    data_type: str = "NUMERIC"
    is_archived: bool = False
    min_value: float | None = None
    max_value: float | None = None
    categories: list[dict[str, Any]] | None = None
    """Labels and their numeric values."""
    description: str | None = None
