"""Background jobs: durable, run at least once, by one worker at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

PURGE_DELETED: Final = "purge_deleted"
PURGE_DELAY_S: Final = 3.0
"""Deletions that follow each other within this time are carried out together."""
APPLY_RETENTION: Final = "apply_retention"

JobState = Literal["waiting", "running", "done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One of them, as it is stored."""

    id: str
    kind: str
    """Which function runs it, such as `purge_deleted`."""
    arguments: dict[str, Any]
    """What that function needs to know; JSON."""
    state: JobState
    """A failed one has used up its attempts; only `retry` runs it again."""
    attempts: int
    """Times it was started since it was enqueued or retried."""
    run_at: datetime
    """It does not start before this."""
    is_cancelling: bool
    """Whether it was cancelled while it ran, and has not ended yet."""
    progress: int
    """Units done, of `total`; what a unit is depends on the kind."""
    total: int | None
    """None when it is not known."""
    message: str
    """What it does or has done, for people."""
    error: str | None
    """Why the last attempt ended early."""
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
