"""Background jobs, and what retention deletes."""

from __future__ import annotations

from typing import Literal

import msgspec

from appliance.model.jobs import JobState


class ApiJob(msgspec.Struct, kw_only=True, rename="camel"):
    """A background job of an appliance."""

    id: str
    kind: str = ""
    state: JobState = "waiting"
    attempts: int = 0
    progress: int = 0
    total: int | None = None
    """What `progress` ends at; None when it is not known."""
    message: str = ""
    error: str | None = None
    is_cancelling: bool = False
    run_at: str | None = None
    created_at: str | None = None
    started_at: str | None = None
    finished_at: str | None = None


class ApiCut(msgspec.Struct, kw_only=True, rename="camel"):
    """Traces of a project that retention deletes."""

    project_id: str
    reason: Literal["age", "size"] = "age"
    before: str = ""
    """Traces that began before this."""
    traces: int = 0


class ApiRetention(msgspec.Struct, kw_only=True, rename="camel"):
    """What retention would delete now."""

    data: list[ApiCut]
    stored_bytes: int = 0
    max_bytes: int = 0
    """0 when there is no bound."""
