"""An observation: one span, generation, event or other step of a trace, as it is stored."""

from __future__ import annotations

from operator import attrgetter
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


class ObservationCore(msgspec.Struct, omit_defaults=True):
    """The columns of both tables of observations; '' stands for null, times are microseconds since the epoch (UTC)."""

    project_id: str
    trace_id: str
    id: str
    start_time: int
    event_ts: int
    """Version of the row: the newest wins."""
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
    usage_details: dict[str, int] = msgspec.field(default_factory=dict)
    """Units (tokens) by usage type."""
    cost_details: dict[str, float] = msgspec.field(default_factory=dict)
    """USD by usage type."""
    total_cost: float | None = None
    """USD; None when no cost is known."""
    prompt_name: str = ""
    prompt_version: int = 0
    tool_call_names: list[str] = msgspec.field(default_factory=list)
    experiment: dict[str, str] = msgspec.field(default_factory=dict)
    """The experiment that this is part of, as the SDK sent it: id, name, dataset.id, item.id, ..."""
    is_deleted: int = 0
    """1 for a row that deletes an older one under another minute or trace."""


class Observation(ObservationCore, kw_only=True, omit_defaults=True):
    """One row of the table `observations`, with all columns."""

    created_at: int
    updated_at: int
    model_parameters: str = ""
    """JSON object."""
    provided_usage_details: dict[str, int] = msgspec.field(default_factory=dict)
    provided_cost_details: dict[str, float] = msgspec.field(default_factory=dict)
    pricing_tier_id: str = ""
    pricing_tier_name: str = ""
    prompt_id: str = ""
    tool_definitions: dict[str, str] = msgspec.field(default_factory=dict)
    tool_calls: list[str] = msgspec.field(default_factory=list)
    service_name: str = ""
    scope_name: str = ""
    scope_version: str = ""
    sdk_name: str = ""
    sdk_version: str = ""
    source: str = "otel"
    """`otel`, `api` (ingestion API) or `migration`."""


LISTED_LETTERS: Final = 200
"""Characters of a text that lists show."""


class ListedObservation(ObservationCore, omit_defaults=True):
    """One row of the table `observations_list`: the columns of lists and metrics, with texts cut by `listed`."""

    tool_names: list[str] = msgspec.field(default_factory=list)
    """Names of the offered tools."""


_FIELDS: Final = ObservationCore.__struct_fields__
_TEXTS_AT: Final = _FIELDS.index("input")
_EXPERIMENT_AT: Final = _FIELDS.index("experiment")
_core = attrgetter(*_FIELDS)


def listed(row: Observation) -> ListedObservation:
    """The list row of an observation."""
    core = [*_core(row), list(row.tool_definitions)]
    core[_TEXTS_AT : _TEXTS_AT + 3] = row.input[:LISTED_LETTERS], row.output[:LISTED_LETTERS], _cut(row.metadata)
    if row.experiment:
        core[_EXPERIMENT_AT] = _cut(row.experiment)
    # By position: keywords would take three times as long, and this is done for every observation.
    return ListedObservation(*core)


def _cut(values: dict[str, str]) -> dict[str, str]:
    return {key: value[:LISTED_LETTERS] for key, value in values.items()}
