"""An observation: one span, generation, event or other step of a trace, as it is stored."""

from __future__ import annotations

from typing import Final

import msgspec

OBSERVATION_TYPES: Final = (
    "SPAN",
    "EVENT",
    "GENERATION",
    "AGENT",
    "TOOL",
    "CHAIN",
    "RETRIEVER",
    "EVALUATOR",
    "EMBEDDING",
    "GUARDRAIL",
)
LEVELS: Final = ("DEBUG", "DEFAULT", "WARNING", "ERROR")


class Observation(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One row of the table `observations`; '' stands for null, times are microseconds since the epoch (UTC)."""

    project_id: str
    trace_id: str
    id: str
    start_time: int
    event_ts: int
    """Version of the row: the newest wins."""
    created_at: int
    updated_at: int
    parent_id: str = ""
    type: str = "SPAN"
    name: str = ""
    end_time: int | None = None
    completion_start_time: int | None = None
    environment: str = "default"
    level: str = "DEFAULT"
    status_message: str = ""
    version: str = ""
    release: str = ""
    is_root: bool = False
    """No parent, or marked as root of its trace by the SDK."""
    is_app_root: bool = False
    trace_name: str = ""
    user_id: str = ""
    session_id: str = ""
    tags: list[str] = msgspec.field(default_factory=list)
    public: bool = False
    input: str = ""
    """JSON text, or the text itself when it was sent as a string."""
    output: str = ""
    metadata: dict[str, str] = msgspec.field(default_factory=dict)
    """Top-level keys; a value that is not a string is JSON text."""
    model: str = ""
    """Model name as sent."""
    model_id: str = ""
    """Id of the matched model definition."""
    model_parameters: str = ""
    """JSON object."""
    provided_usage_details: dict[str, int] = msgspec.field(default_factory=dict)
    usage_details: dict[str, int] = msgspec.field(default_factory=dict)
    """Units (tokens) by usage type."""
    provided_cost_details: dict[str, float] = msgspec.field(default_factory=dict)
    cost_details: dict[str, float] = msgspec.field(default_factory=dict)
    """USD by usage type."""
    total_cost: float | None = None
    """USD; None when no cost is known."""
    pricing_tier_id: str = ""
    pricing_tier_name: str = ""
    prompt_id: str = ""
    prompt_name: str = ""
    prompt_version: int = 0
    tool_definitions: dict[str, str] = msgspec.field(default_factory=dict)
    tool_calls: list[str] = msgspec.field(default_factory=list)
    tool_call_names: list[str] = msgspec.field(default_factory=list)
    experiment: dict[str, str] = msgspec.field(default_factory=dict)
    """What the SDK said of the experiment that this is part of: id, name, dataset.id, item.id, ..."""
    service_name: str = ""
    scope_name: str = ""
    scope_version: str = ""
    sdk_name: str = ""
    sdk_version: str = ""
    is_deleted: int = 0
    """1 for a row that only takes away an older one which lies under another minute or trace."""
    source: str = "otel"
    """`otel`, `api` (ingestion API) or `migration`."""
