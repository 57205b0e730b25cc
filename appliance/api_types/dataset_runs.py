"""Dataset runs and their items."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec

_Time = Annotated[datetime, msgspec.Meta(tz=True)]


class CreateDatasetRunItem(msgspec.Struct, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Adds an item to the run of that name; description and metadata count for a run that is created by it."""

    run_name: Annotated[str, msgspec.Meta(min_length=1)]
    run_description: str | None = None
    metadata: Any = None
    dataset_item_id: str
    trace_id: str | None = None
    observation_id: str | None = None
    dataset_version: _Time | None = None
    """The time at which the item is looked up."""
    created_at: _Time | None = None


class ApiDatasetRun(msgspec.Struct, kw_only=True, rename="camel"):
    """A dataset run without its items."""

    id: str
    name: str = ""
    description: str | None = None
    metadata: Any = None
    dataset_id: str = ""
    dataset_name: str = ""
    created_at: str = ""
    updated_at: str = ""


class ApiDatasetRunItem(msgspec.Struct, kw_only=True, rename="camel"):
    """What a run did with one item: the trace, or the observation in it."""

    id: str
    dataset_run_id: str = ""
    dataset_run_name: str = ""
    dataset_item_id: str = ""
    trace_id: str = ""
    observation_id: str | None = None
    created_at: str = ""
    updated_at: str = ""


class DatasetRunDetail(ApiDatasetRun, kw_only=True):
    """A dataset run with all its items."""

    dataset_run_items: list[ApiDatasetRunItem] = msgspec.field(default_factory=list)
