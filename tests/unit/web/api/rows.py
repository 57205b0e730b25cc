"""Stored rows with something in every field, and with as little as there can be."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from appliance.model.observations import Observation
from appliance.model.scores import Score
from appliance.model.traces import Trace

START: Final = 1_763_895_000_123_456
"""2025-11-23T10:50:00.123Z."""

BARE_TRACE: Final = Trace(project_id="p", id="bare", timestamp=START)
FULL_TRACE: Final = Trace(
    project_id="p",
    id="full",
    timestamp=START,
    environment="production",
    name="rag-answer",
    user_id="alice",
    session_id="chat-1",
    version="1.2",
    release="r7",
    tags=["b", "a"],
    public=True,
    bookmarked=True,
    metadata={"n": "12345678901234567890.10", "text": "plain", "empty": "", "object": '{"a":[1]}'},
    input='{"question": "why", "n": 1.50}',
    output="because",
    created_at=START + 1_000_000,
    updated_at=START + 2_000_000,
)

BARE_OBSERVATION: Final = Observation(
    project_id="p", trace_id="", id="bare", start_time=START, event_ts=START, created_at=START, updated_at=START
)
FULL_OBSERVATION: Final = Observation(
    project_id="p",
    trace_id="full",
    id="full",
    start_time=START,
    event_ts=START,
    created_at=START + 1_000_000,
    updated_at=START + 2_000_000,
    parent_id="root",
    type="GENERATION",
    name="answer",
    end_time=START + 1_234_567,
    completion_start_time=START + 250_000,
    environment="production",
    level="ERROR",
    status_message="too slow",
    version="1.2",
    release="r7",
    trace_name="rag-answer",
    user_id="alice",
    session_id="chat-1",
    tags=["b", "a"],
    public=True,
    input='[{"role": "user", "content": "why"}]',
    output="because",
    metadata={"long": "x" * 300, "object": '{"a":1.0}', "empty": ""},
    model="gpt-4o",
    model_id="model-1",
    model_parameters='{"temperature":0.70}',
    usage_details={"input": 100, "input_cached": 20, "output": 30, "total": 150},
    cost_details={"input": 0.001, "output": 0.002, "total": 0.003},
    total_cost=0.003,
    provided_usage_details={"input": 120, "output": 30},
    pricing_tier_id="tier-1",
    pricing_tier_name="Standard",
    prompt_id="prompt-1",
    prompt_name="movie-critic",
    prompt_version=3,
)
ESTIMATED_OBSERVATION: Final = Observation(
    project_id="p",
    trace_id="full",
    id="estimated",
    start_time=START,
    event_ts=START,
    created_at=START,
    updated_at=START,
    is_app_root=True,
    parent_id="elsewhere",
    model="mine",
    model_id="mine",
    pricing_tier_id="mine",
    usage_details={"input": 3, "total": 3},
    cost_details={"input": 0.0000012, "total": 0.0000012},
)


def score(data_type: str, **more: str | float) -> Score:
    """A score of this type about a trace."""
    row = Score(
        project_id="p",
        id=f"score-{data_type}",
        timestamp=START,
        name="quality",
        source="API",
        data_type=data_type,
        event_ts=START,
        created_at=START,
        updated_at=START,
        trace_id="full",
    )
    return replace(row, **more)


SCORES: Final = {
    "numeric": score("NUMERIC", value=0.5),
    "boolean": score("BOOLEAN", value=1.0, string_value="True", observation_id="full"),
    "categorical": score("CATEGORICAL", value=2.0, string_value="good", trace_id="", session_id="chat-1"),
    "text": score("TEXT", long_string_value="a long text", trace_id="", dataset_run_id="run-1"),
    "short text": score("TEXT", string_value="short"),
    "correction": score("CORRECTION", string_value="old", long_string_value="new"),
    "empty correction": score("CORRECTION", trace_id=""),
    "full": Score(
        project_id="p",
        id="full",
        timestamp=START,
        name="quality",
        source="ANNOTATION",
        data_type="NUMERIC",
        event_ts=START,
        created_at=START,
        updated_at=START,
        value=1.0,
        environment="production",
        trace_id="full",
        observation_id="full",
        session_id="chat-1",
        dataset_run_id="run-1",
        execution_trace_id="eval-1",
        comment="close",
        metadata={"by": '{"name":"bob"}'},
        author_user_id="bob",
        config_id="config-1",
        queue_id="queue-1",
    ),
}
