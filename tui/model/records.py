"""What the screens show, decoded from the API's JSON; times are aware datetimes, durations seconds, costs USD."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

from appliance.model import format

T = TypeVar("T")


class Score(msgspec.Struct, kw_only=True, rename="camel"):
    """One score of a trace, an observation or a session."""

    id: str
    name: str
    timestamp: datetime | None = None
    value: float | str | bool | None = None
    string_value: str | None = None
    data_type: str = "NUMERIC"
    source: str = "API"
    comment: str | None = None
    trace_id: str | None = None
    observation_id: str | None = None
    session_id: str | None = None

    @property
    def shown(self) -> str:
        """The value as people read it."""
        if self.data_type == "BOOLEAN":
            return "yes" if self.value in (1, 1.0, True) else "no"
        if self.string_value is not None:
            return self.string_value
        return f"{self.value:g}" if isinstance(self.value, int | float) else str(self.value or "")


class JobRow(msgspec.Struct, kw_only=True, rename="camel"):
    """A background job that waits, runs or has failed."""

    id: str
    kind: str
    state: str
    attempts: int = 0
    progress: int = 0
    total: int | None = None
    message: str = ""
    error: str | None = None


class TraceWire(msgspec.Struct, kw_only=True, rename="camel"):
    """One item of the trace list; input and output stay undecoded until a preview is made of them."""

    id: str
    timestamp: datetime
    name: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    release: str | None = None
    version: str | None = None
    environment: str | None = None
    public: bool = False
    bookmarked: bool = False
    tags: list[str] = msgspec.field(default_factory=list)
    input: msgspec.Raw = msgspec.Raw(b"null")
    output: msgspec.Raw = msgspec.Raw(b"null")
    metadata: Any = None
    observations: list[str] = msgspec.field(default_factory=list)
    scores: list[str] = msgspec.field(default_factory=list)
    total_cost: float | None = None
    latency: float | None = None


class TraceDetail(msgspec.Struct, kw_only=True, rename="camel"):
    """A trace without its observations."""

    id: str
    timestamp: datetime
    name: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    release: str | None = None
    version: str | None = None
    environment: str | None = None
    public: bool = False
    bookmarked: bool = False
    tags: list[str] = msgspec.field(default_factory=list)
    input: Any = None
    output: Any = None
    metadata: Any = None
    scores: list[Score] = msgspec.field(default_factory=list)
    total_cost: float | None = None
    latency: float | None = None
    html_path: str = ""


class Observation(msgspec.Struct, kw_only=True, rename="camel"):
    """One observation without its texts; reads both the v1 and the v2 shape."""

    id: str
    start_time: datetime
    trace_id: str | None = None
    parent_observation_id: str | None = None
    type: str = "SPAN"
    name: str | None = None
    end_time: datetime | None = None
    completion_start_time: datetime | None = None
    level: str | None = "DEFAULT"
    status_message: str | None = None
    environment: str | None = None
    version: str | None = None
    model: str | None = None
    provided_model_name: str | None = None
    usage_details: dict[str, int] | None = None
    total_cost: float | None = None
    calculated_total_cost: float | None = None
    prompt_name: str | None = None
    prompt_version: int | None = None

    @property
    def model_name(self) -> str:
        return self.provided_model_name or self.model or ""

    @property
    def cost(self) -> float:
        return self.total_cost or self.calculated_total_cost or 0.0

    @property
    def tokens(self) -> int:
        return total_tokens(self.usage_details or {})

    @property
    def duration(self) -> float | None:
        """Seconds; None while it runs, and for events."""
        return (self.end_time - self.start_time).total_seconds() if self.end_time else None

    @property
    def is_open(self) -> bool:
        """Whether it has begun and its end is not known: it runs, or its program died; events have no end."""
        return self.end_time is None and self.type not in ("EVENT", "TRACE")

    @property
    def first_token_s(self) -> float | None:
        """Seconds to the first token."""
        if self.completion_start_time is None:
            return None
        return (self.completion_start_time - self.start_time).total_seconds()


class ObservationTexts(msgspec.Struct, kw_only=True, rename="camel"):
    """The big parts of one observation, fetched when it is looked at."""

    id: str
    input: Any = None
    output: Any = None
    metadata: Any = None
    model_parameters: Any = None
    usage_details: dict[str, int] | None = None
    usage_estimated: bool = False
    """Whether the server counted the tokens because nobody reported them."""
    cost_details: dict[str, float] | None = None


class SessionRow(msgspec.Struct, kw_only=True, rename="camel"):
    """One item of the session list."""

    id: str
    created_at: datetime
    environment: str | None = None


class SessionDetail(msgspec.Struct, kw_only=True, rename="camel"):
    """A session with its traces, oldest first after `turns`."""

    id: str
    created_at: datetime
    environment: str | None = None
    traces: list[TraceDetail] = msgspec.field(default_factory=list)

    @property
    def turns(self) -> list[TraceDetail]:
        return sorted(self.traces, key=lambda trace: trace.timestamp)


class TraceRow(msgspec.Struct, frozen=True):
    """One row of the trace list, texts already cut to a preview."""

    id: str
    timestamp: datetime
    name: str
    input: str = ""
    output: str = ""
    user: str = ""
    session: str = ""
    environment: str = ""
    version: str = ""
    release: str = ""
    tags: tuple[str, ...] = ()
    bookmarked: bool = False
    latency: float | None = None
    cost: float | None = None
    observation_count: int | None = None
    score_ids: tuple[str, ...] = ()
    extras: TraceExtras | None = None


class TraceExtras(msgspec.Struct, frozen=True):
    """What the trace list does not say itself and is fetched after it, per trace."""

    tokens: int = 0
    levels: dict[str, int] = msgspec.field(default_factory=dict)
    scores: tuple[Score, ...] = ()


class Slice(msgspec.Struct, Generic[T], frozen=True):
    """A part of a long list, and how long the whole is (None when the server does not count)."""

    rows: list[T]
    total: int | None


class Server(msgspec.Struct, frozen=True):
    """The server that is looked at."""

    url: str
    public_key: str
    secret_key: str
    local: bool
    project: str = ""
    project_id: str = ""
    data_dir: str = ""


class Health(msgspec.Struct, frozen=True):
    """Whether data flows, and why not."""

    ok: bool
    version: str = ""
    reason: str = ""
    dead_letters: int = 0
    """Requests that could not be processed; known only while data flows."""


def total_tokens(usage: dict[str, int]) -> int:
    """All tokens of a usage map: its total, or the sum of what is there."""
    return usage["total"] if "total" in usage else sum(usage.values())


def trace_row(wire: TraceWire) -> TraceRow:
    """A row of the list, its texts cut to what fits on a line."""
    return TraceRow(
        id=wire.id,
        timestamp=wire.timestamp,
        name=wire.name or "",
        input=format.preview(msgspec.json.decode(wire.input)),
        output=format.preview(msgspec.json.decode(wire.output)),
        user=wire.user_id or "",
        session=wire.session_id or "",
        environment=wire.environment or "",
        version=wire.version or "",
        release=wire.release or "",
        tags=tuple(wire.tags),
        bookmarked=wire.bookmarked,
        latency=wire.latency if wire.latency != -1 else None,
        cost=wire.total_cost if wire.total_cost != -1 else None,
        observation_count=len(wire.observations),
        score_ids=tuple(wire.scores),
    )
