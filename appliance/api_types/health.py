"""Whether a server is well, and what waits in its queue."""

from __future__ import annotations

import msgspec

from appliance.model.services import DiskStatus, QueueStatus


class ApiHealth(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """Health of a server; whatever is empty is left out."""

    status: str
    """`OK`, or `Unavailable` with the reasons."""
    version: str = ""
    """Of the Langfuse whose API this is."""
    langfuse_local_version: str = ""
    """Empty for other servers."""
    reasons: list[str] = msgspec.field(default_factory=list)
    """Why data does not flow, a sentence each."""
    warnings: list[str] = msgspec.field(default_factory=list)
    dead_letters: int = 0
    """Requests that could not be processed."""


class QueueState(msgspec.Struct, kw_only=True):
    """The queue, the disk below it and the workers that read it."""

    queue: QueueStatus = msgspec.field(default_factory=QueueStatus)
    disk: DiskStatus = msgspec.field(default_factory=DiskStatus)
    workers: list[str] = msgspec.field(default_factory=list)
    """Names of the workers that are alive."""
