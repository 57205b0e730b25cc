"""What models cost: which definition a model name belongs to, which tier applies, and the amounts in USD."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache
from importlib import resources
from typing import Final, Literal

import msgspec

from appliance.model.usage import MAX_COST

Operator = Literal["gt", "gte", "lt", "lte", "eq", "neq"]


class TierCondition(msgspec.Struct, frozen=True, rename="camel"):
    """Compares the sum of the usage types that match a pattern with a number of units."""

    usage_detail_pattern: str
    operator: Operator
    value: float
    case_sensitive: bool = False

    def holds(self, usage: Mapping[str, int]) -> bool:
        """Whether the condition is met by this usage."""
        flags = 0 if self.case_sensitive else re.IGNORECASE
        units = sum(value for key, value in usage.items() if re.search(self.usage_detail_pattern, key, flags))
        match self.operator:
            case "gt":
                return units > self.value
            case "gte":
                return units >= self.value
            case "lt":
                return units < self.value
            case "lte":
                return units <= self.value
            case "eq":
                return units == self.value
            case "neq":
                return units != self.value


class PricingTier(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """Prices of a model under some conditions."""

    id: str
    name: str
    prices: dict[str, float]
    """USD per unit by usage type."""
    is_default: bool = True
    priority: int = 0
    conditions: tuple[TierCondition, ...] = ()


class ModelDefinition(msgspec.Struct, frozen=True, rename="camel", kw_only=True, dict=True, eq=False):
    """A model, the names it goes by, and its prices."""

    id: str
    model_name: str
    match_pattern: str
    """Regular expression over the whole name as sent."""
    pricing_tiers: tuple[PricingTier, ...]
    project_id: str | None = None
    """None for the built-in ones."""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The compiled pattern; case never matters in the built-in ones, which start with (?i)."""
        return re.compile(self.match_pattern)

    def tier_for(self, usage: Mapping[str, int]) -> PricingTier | None:
        """The first tier by priority whose conditions all hold, else the default one."""
        special = sorted((tier for tier in self.pricing_tiers if not tier.is_default), key=lambda tier: tier.priority)
        for tier in special:
            if all(condition.holds(usage) for condition in tier.conditions):
                return tier
        return next((tier for tier in self.pricing_tiers if tier.is_default), None)


class Pricing:
    """All known models; an own definition of a project wins over a built-in one."""

    def __init__(self, built_in: Iterable[ModelDefinition], own: Mapping[str, Iterable[ModelDefinition]] | None = None):
        self._built_in = tuple(built_in)
        self._own = {project: tuple(models) for project, models in (own or {}).items()}
        # One project may use many names, but each name is looked up for every observation.
        self._found: dict[tuple[str, str], ModelDefinition | None] = {}

    def match(self, project_id: str, model: str) -> ModelDefinition | None:
        """The definition of a model name as sent, or None when nothing is known of it."""
        key = (project_id if project_id in self._own else "", model)
        if key not in self._found:
            if len(self._found) >= _REMEMBERED_NAMES:
                self._found.clear()
            candidates = (*self._own.get(project_id, ()), *self._built_in)
            self._found[key] = next((found for found in candidates if found.pattern.search(model)), None)
        return self._found[key]


_REMEMBERED_NAMES: Final = 10_000


# Other names that programs report the same tokens under; a part without a price of its own costs what its whole does.
_SAME_PRICE: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("input", ("input_tokens", "prompt_tokens", "input_text", "input_cache_read", "input_cache_creation")),
    ("input", ("input_audio", "input_image")),
    ("output", ("output_tokens", "completion_tokens", "output_text", "output_reasoning", "output_audio")),
    ("output", ("output_accepted_prediction_tokens", "output_rejected_prediction_tokens")),
    ("input_cache_read", ("input_cached_tokens", "cache_read_input_tokens", "input_cached_audio")),
    ("input_cache_creation", ("input_cache_creation_5m", "cache_creation_input_tokens", "input_cache_write")),
    ("input_cache_creation", ("input_cache_creation_1h",)),
    ("input_cache_creation_5m", ("cache_creation_ephemeral_5m_input_tokens",)),
    ("input_cache_creation_1h", ("cache_creation_ephemeral_1h_input_tokens",)),
    ("input_audio", ("input_audio_tokens",)),
    ("input_image", ("input_image_tokens",)),
    ("output_audio", ("output_audio_tokens",)),
    ("output_reasoning", ("output_reasoning_tokens",)),
)


def _with_other_names(prices: Mapping[str, float]) -> dict[str, float]:
    named = dict(prices)
    for whole, names in _SAME_PRICE:
        if whole in named:
            for name in names:
                named.setdefault(name, named[whole])
    return named


@lru_cache(maxsize=1)
def built_in_models() -> tuple[ModelDefinition, ...]:
    """The price table that comes with the package (`prices.json`); of several that match, the first counts."""
    text = (resources.files("appliance.model") / "prices.json").read_bytes()
    models = msgspec.json.decode(text, type=list[ModelDefinition])
    return tuple(
        msgspec.structs.replace(
            model,
            pricing_tiers=tuple(
                msgspec.structs.replace(tier, prices=_with_other_names(tier.prices)) for tier in model.pricing_tiers
            ),
        )
        for model in models
    )


def price_usage(usage: Mapping[str, int], tier: PricingTier) -> dict[str, float]:
    """USD for each usage type that has a price of the same name, and `total`; empty when none has.

    A model that is priced by `total` costs that alone (contract: server semantics section 5).
    """
    costs = {key: units * tier.prices[key] for key, units in usage.items() if key in tier.prices}
    if costs and "total" not in costs:
        costs["total"] = sum(costs.values())
    return {key: min(round(value, 12), MAX_COST) for key, value in costs.items()}


def total_of(provided: Mapping[str, float]) -> float | None:
    """The total of costs that were sent: their own, or input plus output when nothing else was sent."""
    if "total" in provided:
        return provided["total"]
    if provided and provided.keys() <= {"input", "output"}:
        return min(sum(provided.values()), MAX_COST)
    return None
