"""Background jobs: durable, run at least once, by one worker at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

PURGE_DELETED: Final = "purge_deleted"
PURGE_DELAY_S: Final = 3.0
"""Seconds; deletions that follow each other within this time are purged together."""
APPLY_RETENTION: Final = "apply_retention"

JobState = Literal["waiting", "running", "done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A stored background job."""

    id: str
    kind: str
    """Which function runs it, such as `purge_deleted`."""
    arguments: dict[str, Any]
    """Arguments of that function; JSON."""
    state: JobState
    """A failed job has used up its attempts; only `retry` runs it again."""
    attempts: int
    """Times it was started since it was enqueued or retried."""
    run_at: datetime
    """Earliest time of the next start."""
    is_cancelling: bool
    """Whether it was cancelled while it ran, and has not ended yet."""
    progress: int
    """Units done, of `total`; what a unit is depends on the kind."""
    total: int | None
    """None when unknown."""
    message: str
    """Progress or result, as text for users."""
    error: str | None
    """Error of the last attempt."""
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
