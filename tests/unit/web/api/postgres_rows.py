"""Rows of Postgres with something in every field, and with as little as there can be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from appliance.model.datasets import Dataset, DatasetItem, DatasetRun, DatasetRunItem
from appliance.model.jobs import Job
from appliance.model.pricing import ModelDefinition, PricingTier, TierCondition
from appliance.model.prompts import Prompt
from appliance.model.score_configs import ScoreConfig
from appliance.storage.postgres.prompts import PromptSummary

MOMENT: Final = datetime(2025, 11, 23, 10, 50, 0, 123456, UTC)

TEXT_PROMPT: Final = Prompt(
    id="prompt-1",
    project_id="p",
    name="movie-critic",
    version=3,
    type="text",
    prompt="Criticise {{movie}}.",
    config={"temperature": 0.7},
    labels=["production", "latest"],
    tags=["films"],
    commit_message="Shorter",
    created_by="API",
    created_at=MOMENT,
    updated_at=MOMENT + timedelta(seconds=1),
)
CHAT_PROMPT: Final = Prompt(
    id="prompt-2",
    project_id="p",
    name="chat",
    version=1,
    type="chat",
    prompt=[{"role": "user", "content": "Hello"}, {"type": "placeholder", "name": "history"}],
    config={},
    labels=[],
    tags=[],
    commit_message=None,
    created_by="API",
    created_at=MOMENT,
    updated_at=MOMENT,
)
PROMPT_SUMMARY: Final = PromptSummary(
    name="movie-critic",
    type="text",
    versions=[1, 2, 3],
    labels=["production"],
    tags=["films"],
    last_updated_at=MOMENT,
    last_config=None,
)

FULL_DATASET: Final = Dataset(
    id="dataset-1",
    project_id="p",
    name="questions/hard",
    description="Hard ones",
    metadata={"by": "alice"},
    input_schema={"type": "object"},
    expected_output_schema={"type": "string"},
    created_at=MOMENT,
    updated_at=MOMENT,
)
BARE_DATASET: Final = Dataset(
    id="dataset-2",
    project_id="p",
    name="empty",
    description=None,
    metadata=None,
    input_schema=None,
    expected_output_schema=None,
    created_at=MOMENT,
    updated_at=MOMENT,
)
ITEM: Final = DatasetItem(
    id="item-1",
    dataset_id="dataset-1",
    dataset_name="questions/hard",
    status="ACTIVE",
    input={"question": "why"},
    expected_output="because",
    metadata=None,
    source_trace_id="full",
    source_observation_id=None,
    created_at=MOMENT,
    updated_at=MOMENT,
    valid_from=MOMENT,
)

RUN: Final = DatasetRun(
    id="run-1",
    project_id="p",
    dataset_id="dataset-1",
    dataset_name="questions/hard",
    name="gpt-5",
    description=None,
    metadata={},
    created_at=MOMENT,
    updated_at=MOMENT,
)
RUN_ITEM: Final = DatasetRunItem(
    id="run-item-1",
    project_id="p",
    dataset_run_id="run-1",
    dataset_item_id="item-1",
    trace_id="full",
    observation_id=None,
    created_at=MOMENT,
    updated_at=MOMENT,
)

FLAT_MODEL: Final = ModelDefinition(
    id="model-1",
    project_id="p",
    model_name="mine",
    match_pattern="(?i)^mine$",
    pricing_tiers=(PricingTier(id="tier-1", name="Standard", prices={"input": 0.000001, "output": 2.0}),),
)
TIERED_MODEL: Final = ModelDefinition(
    id="model-2",
    project_id=None,
    model_name="theirs",
    match_pattern="slow",
    start_date=1_763_895_000_123_456,
    unit="TOKENS",
    tokenizer_id="openai",
    tokenizer_config={"tokensPerName": 1},
    pricing_tiers=(
        PricingTier(id="tier-2", name="Standard", is_default=True, priority=0, prices={"total": 0.5}),
        PricingTier(
            id="tier-3",
            name="Long",
            is_default=False,
            priority=1,
            conditions=(
                TierCondition(usage_detail_pattern="input", operator="gt", value=200000, case_sensitive=True),
                TierCondition(source="model_parameters", key="service_tier", operator="in", values=("flex",)),
            ),
            prices={"input": 1.0},
        ),
    ),
)

SCORE_CONFIG: Final = ScoreConfig(
    id="config-1",
    project_id="p",
    name="quality",
    data_type="CATEGORICAL",
    is_archived=False,
    min_value=None,
    max_value=None,
    categories=[{"label": "good", "value": 1.0}, {"label": "bad", "value": 0}],
    description="How good",
    created_at=MOMENT,
    updated_at=MOMENT,
)
NUMERIC_CONFIG: Final = ScoreConfig(
    id="config-2",
    project_id="p",
    name="stars",
    data_type="NUMERIC",
    is_archived=True,
    min_value=0.0,
    max_value=5.0,
    categories=None,
    description=None,
    created_at=MOMENT,
    updated_at=MOMENT,
)

WAITING_JOB: Final = Job(
    id="job-1",
    kind="purge_deleted",
    arguments={},
    state="waiting",
    attempts=0,
    run_at=MOMENT,
    is_cancelling=False,
    progress=0,
    total=None,
    message="",
    error=None,
    created_at=MOMENT,
    started_at=None,
    finished_at=None,
)
FAILED_JOB: Final = Job(
    id="job-2",
    kind="apply_retention",
    arguments={},
    state="failed",
    attempts=5,
    run_at=MOMENT,
    is_cancelling=True,
    progress=3,
    total=7,
    message="3 of 7 traces",
    error="The disk is full.",
    created_at=MOMENT,
    started_at=MOMENT,
    finished_at=MOMENT,
)
