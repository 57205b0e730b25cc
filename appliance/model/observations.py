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


LISTED_LETTERS: Final = 200
"""What lists show of a text."""


class ListedObservation(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One row of the table `observations_list`: an observation as `listed` cuts it, fields as there."""

    project_id: str
    trace_id: str
    id: str
    start_time: int
    event_ts: int
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
    is_app_root: bool = False
    trace_name: str = ""
    user_id: str = ""
    session_id: str = ""
    tags: list[str] = msgspec.field(default_factory=list)
    public: bool = False
    input: str = ""
    output: str = ""
    metadata: dict[str, str] = msgspec.field(default_factory=dict)
    model: str = ""
    model_id: str = ""
    usage_details: dict[str, int] = msgspec.field(default_factory=dict)
    cost_details: dict[str, float] = msgspec.field(default_factory=dict)
    total_cost: float | None = None
    prompt_name: str = ""
    prompt_version: int = 0
    tool_names: list[str] = msgspec.field(default_factory=list)
    """Of the tools that were offered."""
    tool_call_names: list[str] = msgspec.field(default_factory=list)
    experiment: dict[str, str] = msgspec.field(default_factory=dict)
    is_deleted: int = 0


def listed(row: Observation) -> ListedObservation:
    """What lists and metrics need of an observation; the only place that knows how such a row is made."""
    return ListedObservation(
        project_id=row.project_id,
        trace_id=row.trace_id,
        id=row.id,
        start_time=row.start_time,
        event_ts=row.event_ts,
        parent_id=row.parent_id,
        type=row.type,
        name=row.name,
        end_time=row.end_time,
        completion_start_time=row.completion_start_time,
        environment=row.environment,
        level=row.level,
        status_message=row.status_message,
        version=row.version,
        release=row.release,
        is_root=row.is_root,
        is_app_root=row.is_app_root,
        trace_name=row.trace_name,
        user_id=row.user_id,
        session_id=row.session_id,
        tags=row.tags,
        public=row.public,
        input=row.input[:LISTED_LETTERS],
        output=row.output[:LISTED_LETTERS],
        metadata=_cut(row.metadata),
        model=row.model,
        model_id=row.model_id,
        usage_details=row.usage_details,
        cost_details=row.cost_details,
        total_cost=row.total_cost,
        prompt_name=row.prompt_name,
        prompt_version=row.prompt_version,
        tool_names=list(row.tool_definitions),
        tool_call_names=row.tool_call_names,
        experiment=_cut(row.experiment),
        is_deleted=row.is_deleted,
    )


def _cut(values: dict[str, str]) -> dict[str, str]:
    return {key: value[:LISTED_LETTERS] for key, value in values.items()}
