"""Observations: the first version of the API shows all of one, the second the groups of fields a client chooses."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType


class ObservationUsage(msgspec.Struct, kw_only=True, rename="camel"):
    """Tokens of an observation, as Langfuse v2 reported them."""

    input: int | None = 0
    output: int | None = 0
    total: int | None = 0
    unit: str | None = "TOKENS"


class ApiObservation(msgspec.Struct, kw_only=True, rename="camel"):
    """An observation of the first API version."""

    id: str
    project_id: str | None = None
    trace_id: str | None = None
    parent_observation_id: str | None = None
    type: str = "SPAN"
    name: str | None = None
    environment: str | None = None
    start_time: str = ""
    end_time: str | None = None
    completion_start_time: str | None = None
    level: str | None = "DEFAULT"
    status_message: str | None = None
    version: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    input: Any = None
    output: Any = None
    metadata: Any = None
    model: str | None = None
    model_id: str | None = None
    model_parameters: Any = None
    usage_details: dict[str, int] | None = None
    cost_details: dict[str, float] | None = None
    usage_estimated: bool | UnsetType = UNSET
    """Set, and true, only where the server counted tokens that nobody reported."""
    usage: ObservationUsage | None = None
    unit: str | None = "TOKENS"
    prompt_tokens: int | None = 0
    completion_tokens: int | None = 0
    total_tokens: int | None = 0
    usage_pricing_tier_id: str | None = None
    usage_pricing_tier_name: str | None = None
    input_price: float | None = None
    """USD per unit, as the other prices."""
    output_price: float | None = None
    total_price: float | None = None
    calculated_input_cost: float | None = None
    calculated_output_cost: float | None = None
    calculated_total_cost: float | None = None
    prompt_id: str | None = None
    prompt_name: str | None = None
    prompt_version: int | None = None
    latency: float | None = None
    time_to_first_token: float | None = None


class ApiObservationV2(msgspec.Struct, kw_only=True, rename="camel"):
    """An observation of the second API version; only the fields before `name` are always there."""

    id: str
    trace_id: str | None = None
    start_time: str = ""
    end_time: str | None = None
    project_id: str | None = None
    parent_observation_id: str | None = None
    type: str = "SPAN"
    model_id: str | None = None
    input_price: str | None = None
    """USD per unit in decimal notation, as the other prices."""
    output_price: str | None = None
    total_price: str | None = None
    # basic
    name: str | UnsetType | None = UNSET
    level: str | UnsetType | None = UNSET
    status_message: str | UnsetType | None = UNSET
    version: str | UnsetType | None = UNSET
    environment: str | UnsetType | None = UNSET
    public: bool | UnsetType | None = UNSET
    user_id: str | UnsetType | None = UNSET
    session_id: str | UnsetType | None = UNSET
    is_root_observation: bool | UnsetType | None = UNSET
    bookmarked: bool | UnsetType | None = UNSET
    # time
    completion_start_time: str | UnsetType | None = UNSET
    created_at: str | UnsetType | None = UNSET
    updated_at: str | UnsetType | None = UNSET
    # io
    input: Any = UNSET
    """As it is stored, without being decoded; so is `output`."""
    output: Any = UNSET
    # metadata
    metadata: Any = UNSET
    # model
    model: str | UnsetType | None = UNSET
    provided_model_name: str | UnsetType | None = UNSET
    internal_model_id: str | UnsetType | None = UNSET
    model_parameters: Any = UNSET
    # usage
    usage_details: dict[str, int] | UnsetType | None = UNSET
    cost_details: dict[str, float] | UnsetType | None = UNSET
    total_cost: float | UnsetType | None = UNSET
    usage_pricing_tier_name: str | UnsetType | None = UNSET
    # prompt
    prompt_id: str | UnsetType | None = UNSET
    prompt_name: str | UnsetType | None = UNSET
    prompt_version: int | UnsetType | None = UNSET
    # metrics
    latency: float | UnsetType | None = UNSET
    time_to_first_token: float | UnsetType | None = UNSET
    # trace_context
    trace_name: str | UnsetType | None = UNSET
    tags: list[str] | UnsetType | None = UNSET
    release: str | UnsetType | None = UNSET


class TreeRow(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """An observation as a row of the tree of its trace; '' stands for null, times have microseconds."""

    id: str
    start_time: str
    parent_observation_id: str = ""
    type: str = "SPAN"
    name: str = ""
    end_time: str | None = None
    completion_start_time: str | None = None
    level: str = "DEFAULT"
    status_message: str = ""
    environment: str = "default"
    version: str = ""
    provided_model_name: str = ""
    usage_details: dict[str, int] = msgspec.field(default_factory=dict)
    total_cost: float | None = None
    prompt_name: str = ""
    prompt_version: int = 0
