"""A trace is never stored whole: requests store parts of it, and reading merges them (docs/architecture.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from appliance.model.metadata import merge_into

OF_OBSERVATION = "o:"
"""Prefix of the ids of parts that exist only because an observation names its trace."""
OF_TOPMOST = "s:"
"""Prefix of the ids of parts of topmost spans, followed by the id of the span."""

EVENT_WEIGHT: Final = 3 << 60
"""Weight of an event about the trace itself."""
ROOT_WEIGHT: Final = 2 << 60
"""Weight of a root span, less its start: of several roots the first to start wins."""
APP_ROOT_WEIGHT: Final = 1 << 60
"""Weight of the first span that a program's SDK sends, less its start."""


class TracePart(msgspec.Struct, kw_only=True):
    """The part that one request adds to a trace; None means "not set". Times are microseconds since the epoch (UTC)."""

    project_id: str
    id: str
    part_id: str
    """Deterministic within the trace, so that a redelivered request writes the same part again."""
    timestamp: int
    """Start of the earliest record in this part."""
    order_ts: int
    """Of equally heavy parts the later wins: start of a root span, end of any other span, or time of the event."""
    event_ts: int
    created_at: int
    name: str | None = None
    name_rank: int = 0
    """0 no name, 1 a span's own name, 2 a name given to the trace; higher wins before heavier and later."""
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
    """Fields that were set to null on purpose; a null overwrites earlier values."""
    is_root: bool = False
    weight: int = 0
    """Heavier parts win over lighter ones. A topmost span whose parent may still come weighs less than nothing, minus
    its start: that only counts for name, input and output. Parts of version 0.1.0 weigh nothing."""
    given: list[str] = msgspec.field(default_factory=list)
    """Which of `input` and `output` a root sets on the trace on purpose; all other parts do so anyway."""
    parent_id: str = ""
    """The parent of a topmost span, which may never arrive; empty for other parts."""


@dataclass(frozen=True, slots=True)
class SpanPlace:
    """Where a span of a known trace is: its id and its start, in microseconds since the epoch."""

    id: str
    start: int


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
    topmost: SpanPlace | None = None
    """The span whose input and output are those that the trace does not have itself."""


_LAST_WINS = ("user_id", "session_id", "version", "release", "public", "bookmarked")


def aggregate_parts(parts: Iterable[TracePart]) -> Trace:
    """One trace out of all its parts, in any order of arrival and with repetitions; `parts` must not be empty.

    The rules (contract: server semantics 3.5 and SDK contract 4.4; docs/compatibility.md): the timestamp is that of the
    earliest part which a trace event or a span made, else of the earliest observation. Tags are a sorted union. Else
    the heaviest part that says something wins, of equally heavy ones the latest, and metadata merges by key in that
    order; the environment is the earliest of equally heavy ones. A null said on purpose erases. What the trace was
    given as name, input or output beats what a span has as its own, and the latest gift wins.
    """
    ordered = sorted(parts, key=_rank)
    first = min(ordered, key=lambda part: (part.part_id.startswith(OF_OBSERVATION), part.timestamp))
    trace = Trace(
        project_id=first.project_id,
        id=first.id,
        timestamp=first.timestamp,
        created_at=min(part.created_at for part in ordered),
        updated_at=max(part.event_ts for part in ordered),
    )
    for part in ordered:
        for name in _LAST_WINS:
            if (value := getattr(part, name)) is not None:
                setattr(trace, name, value)
            elif name in part.nulls:
                setattr(trace, name, False if name == "public" else None)
    trace.environment = _environment(ordered)
    trace.name = _name(ordered)
    for part in _since_erased(ordered, "metadata"):
        merge_into(trace.metadata, part.metadata)
    trace.tags = sorted({tag for part in ordered for tag in part.tags})
    _set_texts(trace, ordered)
    return trace


def _moment(part: TracePart) -> tuple[int, int, str]:
    return part.order_ts, part.event_ts, part.part_id


def _rank(part: TracePart) -> tuple[int, int, int, str]:
    return max(part.weight, 0), *_moment(part)


def _by_place(parts: Sequence[TracePart]) -> Callable[[TracePart], tuple[bool, int, int, int, str]]:
    """What spans' own names, inputs and outputs are chosen by; a span below another one of `parts` comes last."""
    topmost = {part.part_id.partition(":")[2] for part in parts if part.parent_id}
    return lambda part: (part.parent_id not in topmost, part.weight, *_moment(part))


def _since_erased(parts: Sequence[TracePart], name: str) -> list[TracePart]:
    erased = max((_moment(part) for part in parts if name in part.nulls), default=None)
    return list(parts) if erased is None else [part for part in parts if _moment(part) > erased]


def _environment(parts: Sequence[TracePart]) -> str:
    named = [part for part in parts if part.environment != "default"]
    first = min(named, key=lambda part: (-max(part.weight, 0), part.timestamp, *_moment(part)), default=None)
    return first.environment if first else "default"


def _name(parts: Sequence[TracePart]) -> str | None:
    named = [part for part in _since_erased(parts, "name") if part.name is not None]
    if on_purpose := [part for part in named if part.name_rank > 1]:
        return max(on_purpose, key=_moment).name
    place = _by_place(parts)
    return max(named, key=lambda part: (part.name_rank, place(part))).name if named else None


def _set_texts(trace: Trace, parts: Sequence[TracePart]) -> None:
    """Input and output: given ones, else those of the roots, else those of the topmost span that is there."""
    place = _by_place(parts)
    spans = [part for part in parts if part.is_root or part.weight < 0]
    roots = [part for part in spans if part.weight >= 0]
    chosen = roots or [max(spans, key=place)] if spans else []
    numbers = set(map(id, chosen))
    for name in ("input", "output"):
        present = [part for part in _since_erased(parts, name) if getattr(part, name) is not None]
        on_purpose = [part for part in present if not part.is_root or name in part.given]
        own = [part for part in present if id(part) in numbers]
        if on_purpose or own:
            best = max(on_purpose, key=_moment) if on_purpose else max(own, key=place)
            setattr(trace, name, getattr(best, name))
    if chosen and chosen[0].part_id.startswith(OF_TOPMOST) and (trace.input is None or trace.output is None):
        trace.topmost = SpanPlace(chosen[0].part_id.removeprefix(OF_TOPMOST), -chosen[0].weight)
