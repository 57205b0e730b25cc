"""Datasets and their versioned items (contract: server semantics 6.10, SDK contract 3.3)."""

from __future__ import annotations

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
