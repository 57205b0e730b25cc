"""Scores: the first two versions of the API share a shape, the third has one value and groups of fields."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType


class ScoredTrace(msgspec.Struct, kw_only=True, rename="camel"):
    """What a list of scores shows of their traces."""

    user_id: str | None = None
    tags: list[str] = msgspec.field(default_factory=list)
    environment: str | None = None
    session_id: str | None = None


class ApiScore(msgspec.Struct, kw_only=True, rename="camel"):
    """A score of the first two API versions."""

    id: str
    project_id: str | None = None
    environment: str | None = None
    timestamp: str = ""
    name: str = ""
    value: float | int | bool | str | UnsetType | None = UNSET
    """A number, also of scores that are true or false; left out of those that are texts."""
    string_value: str | None = None
    data_type: str = "NUMERIC"
    source: str = "API"
    author_user_id: str | None = None
    comment: str | None = None
    metadata: Any = None
    config_id: str | None = None
    queue_id: str | None = None
    execution_trace_id: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    trace_id: str | None = None
    observation_id: str | None = None
    session_id: str | UnsetType | None = UNSET
    """Only in the second version, as `dataset_run_id`."""
    dataset_run_id: str | UnsetType | None = UNSET
    trace: ScoredTrace | UnsetType | None = UNSET
    """Only in lists, unless the client left it out."""


class ScoreSubject(msgspec.Struct, kw_only=True, rename="camel"):
    """What a score is about."""

    kind: Literal["observation", "trace", "session", "experiment"]
    id: str
    trace_id: str | UnsetType | None = UNSET
    """Only of observations."""


class ApiScoreV3(msgspec.Struct, kw_only=True, rename="camel"):
    """A score of the third API version; only the fields before `comment` are always there."""

    id: str
    project_id: str | None = None
    name: str = ""
    value: float | int | bool | str | None = None
    data_type: str = "NUMERIC"
    source: str = "API"
    timestamp: str = ""
    environment: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    # details
    comment: str | UnsetType | None = UNSET
    config_id: str | UnsetType | None = UNSET
    metadata: Any = UNSET
    # subject
    subject: ScoreSubject | UnsetType | None = UNSET
    # annotation
    author_user_id: str | UnsetType | None = UNSET
    queue_id: str | UnsetType | None = UNSET
