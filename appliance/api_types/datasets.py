"""Datasets and their items."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from appliance.api_types.media import MediaReference


class PutDataset(msgspec.Struct, kw_only=True, rename="camel"):
    """Creates a dataset, or changes the one of that name."""

    name: str
    description: str | None = None
    metadata: Any = None
    input_schema: dict[str, Any] | None = None
    expected_output_schema: dict[str, Any] | None = None


class PutDatasetItem(msgspec.Struct, kw_only=True, rename="camel"):
    """Creates an item, or changes the one with that id."""

    dataset_name: str
    id: str | None = None
    input: Any = None
    expected_output: Any = None
    metadata: Any = None
    source_trace_id: str | None = None
    source_observation_id: str | None = None
    status: Literal["ACTIVE", "ARCHIVED"] | None = None


class ApiDataset(msgspec.Struct, kw_only=True, rename="camel"):
    """A dataset without its items."""

    id: str
    name: str = ""
    description: str | None = None
    metadata: Any = None
    input_schema: Any = None
    expected_output_schema: Any = None
    project_id: str | None = None
    created_at: str = ""
    updated_at: str = ""


class ApiDatasetItem(msgspec.Struct, kw_only=True, rename="camel"):
    """One version of an item."""

    id: str
    status: str = "ACTIVE"
    input: Any = None
    expected_output: Any = None
    metadata: Any = None
    source_trace_id: str | None = None
    source_observation_id: str | None = None
    dataset_id: str = ""
    dataset_name: str = ""
    created_at: str = ""
    updated_at: str = ""
    version: str = ""
    """The time from which this version counts."""
    media_references: list[MediaReference] = msgspec.field(default_factory=list)


class DatasetSummary(ApiDataset, kw_only=True):
    """A dataset in the list of the first API version."""

    items: list[str] = msgspec.field(default_factory=list)
    """Ids."""
    runs: list[str] = msgspec.field(default_factory=list)
    """Names."""


class DatasetDetail(ApiDataset, kw_only=True):
    """A dataset with its items, of the first API version."""

    items: list[ApiDatasetItem] = msgspec.field(default_factory=list)
    runs: list[str] = msgspec.field(default_factory=list)
    """Names."""
