"""A score: one judgement of a trace, an observation, a session or a dataset run, as it is stored."""

from __future__ import annotations

from typing import Final

import msgspec

DATA_TYPES: Final = ("NUMERIC", "CATEGORICAL", "BOOLEAN", "CORRECTION", "TEXT")
SOURCES: Final = ("API", "EVAL", "ANNOTATION")


class Score(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One row of the table `scores`; '' stands for null, times are microseconds since the epoch (UTC)."""

    project_id: str
    id: str
    timestamp: int
    name: str
    source: str
    data_type: str
    event_ts: int
    """Version of the row: the newest wins."""
    created_at: int
    updated_at: int
    value: float = 0.0
    string_value: str = ""
    long_string_value: str = ""
    environment: str = "default"
    trace_id: str = ""
    observation_id: str = ""
    session_id: str = ""
    dataset_run_id: str = ""
    execution_trace_id: str = ""
    comment: str = ""
    metadata: dict[str, str] = msgspec.field(default_factory=dict)
    author_user_id: str = ""
    config_id: str = ""
    queue_id: str = ""
    sdk_name: str = ""
    sdk_version: str = ""
