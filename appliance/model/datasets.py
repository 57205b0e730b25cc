"""Datasets, their versioned items and their runs (contract: server semantics 6.10, SDK contract 3.3 and 3.4)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A named collection of items."""

    id: str
    project_id: str
    name: str
    description: str | None
    metadata: Any
    input_schema: Any
    expected_output_schema: Any
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetItem:
    """One version of an item; later versions replace it, but the state at a time stays readable."""

    id: str
    dataset_id: str
    dataset_name: str
    status: str
    """`ACTIVE` or `ARCHIVED`."""
    input: Any
    expected_output: Any
    metadata: Any
    source_trace_id: str | None
    source_observation_id: str | None
    created_at: datetime
    updated_at: datetime
    valid_from: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetRun:
    """One pass of a program over the items of a dataset."""

    id: str
    project_id: str
    dataset_id: str
    dataset_name: str
    name: str
    description: str | None
    metadata: Any
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetRunItem:
    """What a run did with one item."""

    id: str
    project_id: str
    dataset_run_id: str
    dataset_item_id: str
    trace_id: str
    observation_id: str | None
    created_at: datetime
    updated_at: datetime


def dataset_run_id(project_id: str, dataset_id: str, name: str) -> str:
    """The id of the run of this name.

    Python SDK 5 computes the same id for an experiment, so scores that it sends belong to the run of an older SDK, too.
    """
    parts = ["langfuse-experiment-v1", project_id, dataset_id, name]
    key = json.dumps(parts, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(key.encode()).hexdigest()[:16]
