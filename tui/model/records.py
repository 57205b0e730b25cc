"""Rows that the screens show, beside the structs of the API; times have offsets, durations are seconds, costs USD."""

from __future__ import annotations

from datetime import datetime
from typing import Generic, TypeVar

import msgspec

from appliance.api_types.scores import ApiScore
from appliance.api_types.sessions import ApiSession
from appliance.api_types.traces import NOT_REQUESTED, ApiTraceItem
from appliance.model import format
from appliance.model.times import moment_of, parse_iso

T = TypeVar("T")


class Observation(msgspec.Struct, kw_only=True, rename="camel"):
    """One observation without its texts.

    Decoded from the answers of both API versions and of the tree, with times as moments: a trace may have 50,000 of
    them, which would take twice the time by way of the structs of the API.
    """

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


class SessionRow(msgspec.Struct, frozen=True):
    """One row of the session list."""

    id: str
    created_at: datetime
    environment: str = ""


class Session(msgspec.Struct, frozen=True):
    """A session and its traces, oldest first."""

    id: str
    turns: list[ApiTraceItem]


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
    scores: tuple[ApiScore, ...] = ()


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


def time_of(text: str) -> datetime:
    """The moment of a time in an answer; the epoch for a text that is no time."""
    return moment_of(parse_iso(text) or 0)


def score_text(score: ApiScore) -> str:
    """The value of a score as people read it."""
    if score.data_type == "BOOLEAN":
        return "yes" if score.value in (1, 1.0, True) else "no"
    if score.string_value is not None:
        return score.string_value
    return f"{score.value:g}" if isinstance(score.value, int | float) else str(score.value or "")


def session_row(session: ApiSession) -> SessionRow:
    """A row of the session list."""
    return SessionRow(session.id, time_of(session.created_at), session.environment or "")


def trace_row(trace: ApiTraceItem) -> TraceRow:
    """A row of the trace list, its texts cut to what fits on a line."""
    return TraceRow(
        id=trace.id,
        timestamp=time_of(trace.timestamp),
        name=trace.name or "",
        input=format.preview(trace.input),
        output=format.preview(trace.output),
        user=trace.user_id or "",
        session=trace.session_id or "",
        environment=trace.environment or "",
        version=trace.version or "",
        release=trace.release or "",
        tags=tuple(trace.tags),
        bookmarked=bool(trace.bookmarked),
        latency=trace.latency if trace.latency != NOT_REQUESTED else None,
        cost=trace.total_cost if trace.total_cost != NOT_REQUESTED else None,
        observation_count=len(trace.observations),
        score_ids=tuple(trace.scores),
    )
