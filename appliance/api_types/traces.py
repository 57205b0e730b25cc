"""Traces: in lists with the ids of what belongs to them, alone with all of it, and in sessions without."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from appliance.api_types.observations import ApiObservation
from appliance.api_types.scores import ApiScore

NOT_REQUESTED: Final = -1
"""Latency and cost of a trace whose metrics the client did not choose."""


class ApiTrace(msgspec.Struct, kw_only=True, rename="camel"):
    """A trace without its observations."""

    id: str
    project_id: str | None = None
    name: str | None = None
    timestamp: str = ""
    environment: str | None = None
    tags: list[str] = msgspec.field(default_factory=list)
    bookmarked: bool | None = False
    release: str | None = None
    version: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    public: bool | None = False
    external_id: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    html_path: str = ""
    input: Any = None
    output: Any = None
    metadata: Any = None


class ApiTraceItem(ApiTrace, kw_only=True):
    """A trace of a list."""

    observations: list[str] = msgspec.field(default_factory=list)
    """Ids; so are the scores."""
    scores: list[str] = msgspec.field(default_factory=list)
    latency: float | None = None
    total_cost: float | None = None


class ApiTraceDetail(ApiTrace, kw_only=True):
    """A trace with all its observations and scores."""

    observations: list[ApiObservation] = msgspec.field(default_factory=list)
    scores: list[ApiScore] = msgspec.field(default_factory=list)
    latency: float | None = None
    total_cost: float | None = None
