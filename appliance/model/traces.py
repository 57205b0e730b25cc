"""A trace is never stored whole: requests store parts of it, and reading folds them (docs/architecture.md)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from appliance.model.metadata import merge_stored

TOLD_BY_OBSERVATION = "o:"
"""Begins the part id of what is only known because an observation named its trace."""


class TracePart(msgspec.Struct, kw_only=True):
    """What one request says of one trace; None means "not said". Times are microseconds since the epoch (UTC)."""

    project_id: str
    id: str
    part_id: str
    """Deterministic within the trace, so that a redelivered request writes the same part again."""
    timestamp: int
    """Start of the earliest record in this part."""
    order_ts: int
    """Later parts win over earlier ones: start of the span, or time of the event."""
    event_ts: int
    created_at: int
    name: str | None = None
    name_rank: int = 0
    """0 no name, 1 the root span's own name, 2 a name given to the trace; higher wins before later."""
    user_id: str | None = None
    session_id: str | None = None
    version: str | None = None
    release: str | None = None
    environment: str = "default"
    tags: list[str] = msgspec.field(default_factory=list)
    public: bool | None = None
    bookmarked: bool | None = None
    metadata: dict[str, str] = msgspec.field(default_factory=dict)
    input: str | None = None
    output: str | None = None
    nulls: list[str] = msgspec.field(default_factory=list)
    """Fields that were set to null on purpose; a null overwrites what was said before."""
    is_root: bool = False


@dataclass(slots=True, kw_only=True)
class Trace:
    """A trace as readers see it. Times are microseconds since the epoch (UTC)."""

    project_id: str
    id: str
    timestamp: int
    environment: str = "default"
    name: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    version: str | None = None
    release: str | None = None
    tags: list[str] = field(default_factory=list)
    public: bool = False
    bookmarked: bool = False
    metadata: dict[str, str] = field(default_factory=dict)
    input: str | None = None
    output: str | None = None
    created_at: int = 0
    updated_at: int = 0


_LAST_WINS = ("user_id", "session_id", "version", "release", "public", "bookmarked", "input", "output")


def fold_parts(parts: Iterable[TracePart]) -> Trace:
    """One trace out of all its parts, in any order of arrival and with repetitions.

    The rules (contract: server semantics 3.5 and SDK contract 4.4): the timestamp is that of the earliest part which a
    trace event or a span made, else of the earliest observation; the environment is the earliest one said; tags are a
    sorted union; metadata merges by key; a name given to the trace beats the root span's; for the rest the latest part
    that says something wins, and a null said on purpose erases. `parts` must not be empty.
    """
    ordered = sorted(parts, key=lambda part: (part.order_ts, part.event_ts, part.part_id))
    first = min(ordered, key=lambda part: (part.part_id.startswith(TOLD_BY_OBSERVATION), part.timestamp))
    trace = Trace(
        project_id=first.project_id,
        id=first.id,
        timestamp=first.timestamp,
        created_at=min(part.created_at for part in ordered),
        updated_at=max(part.event_ts for part in ordered),
    )
    environments = [part.environment for part in sorted(ordered, key=lambda part: part.timestamp)]
    trace.environment = next((name for name in environments if name != "default"), "default")
    rank = 0
    tags: set[str] = set()
    for part in ordered:
        for name in _LAST_WINS:
            if (value := getattr(part, name)) is not None:
                setattr(trace, name, value)
        if part.name is not None and part.name_rank >= rank:
            trace.name, rank = part.name, part.name_rank
        trace.metadata = merge_stored(trace.metadata, part.metadata)
        tags.update(part.tags)
        for name in part.nulls:
            _erase(trace, name)
            rank = 0 if name == "name" else rank
    trace.tags = sorted(tags)
    return trace


def _erase(trace: Trace, name: str) -> None:
    if name == "metadata":
        trace.metadata = {}
    elif name == "public":
        trace.public = False
    elif name in ("name", "user_id", "session_id", "version", "release", "input", "output"):
        setattr(trace, name, None)
