"""Model definitions: what models cost, and how their tokens are counted."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from appliance.model.pricing import TierCondition

Price = Annotated[float, Meta(ge=0)]


class CreateTier(msgspec.Struct, kw_only=True, rename="camel"):
    """A tier of a new model."""

    name: Annotated[str, Meta(min_length=1)]
    is_default: bool
    priority: Annotated[int, Meta(ge=0)]
    conditions: list[TierCondition]
    prices: Annotated[dict[str, Price], Meta(min_length=1)]


class CreateModel(msgspec.Struct, kw_only=True, rename="camel"):
    """Creates a model of the project, with flat prices or with tiers."""

    model_name: Annotated[str, Meta(min_length=1)]
    match_pattern: Annotated[str, Meta(min_length=1)]
    start_date: Annotated[datetime, Meta(tz=True, extra={"date": True})] | None = None
    unit: Literal["TOKENS", "CHARACTERS", "MILLISECONDS", "SECONDS", "REQUESTS", "IMAGES"] | None = None
    input_price: Price | None = None
    output_price: Price | None = None
    total_price: Price | None = None
    pricing_tiers: list[CreateTier] | None = None
    tokenizer_id: Literal["openai", "claude"] | None = None
    tokenizer_config: dict[str, Any] | None = None


class ModelPrice(msgspec.Struct):
    """USD per unit."""

    price: float


class ApiTierCondition(msgspec.Struct, kw_only=True, rename="camel"):
    """Compares usage with a number, or an attribute with the values it may have: only the fields of one are set."""

    operator: str
    usage_detail_pattern: str | UnsetType = UNSET
    value: float | UnsetType = UNSET
    case_sensitive: bool | UnsetType = UNSET
    source: str | UnsetType = UNSET
    key: str | UnsetType = UNSET
    values: list[str] | UnsetType = UNSET


class ApiTier(msgspec.Struct, kw_only=True, rename="camel"):
    """Prices of a model under some conditions."""

    id: str
    name: str = ""
    is_default: bool = True
    priority: int = 0
    conditions: list[ApiTierCondition] = msgspec.field(default_factory=list)
    prices: dict[str, float] = msgspec.field(default_factory=dict)
    """USD per unit by usage type."""


class ApiModel(msgspec.Struct, kw_only=True, rename="camel"):
    """A model of the project, or a built-in one."""

    id: str
    model_name: str = ""
    match_pattern: str = ""
    start_date: str | None = None
    unit: str | None = None
    input_price: float | None = None
    """Of the default tier, as the other prices."""
    output_price: float | None = None
    total_price: float | None = None
    tokenizer_id: str | None = None
    tokenizer_config: Any = None
    is_langfuse_managed: bool = False
    """Whether it is built in."""
    created_at: str = ""
    prices: dict[str, ModelPrice] = msgspec.field(default_factory=dict)
    pricing_tiers: list[ApiTier] = msgspec.field(default_factory=list)
    match_pattern_too_slow: bool | UnsetType = UNSET
    """Set, and true, where workers do not use the pattern any more."""
