"""Prices of models: the definition of a model name, the tier that applies, and the amounts in USD."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache
from typing import Any, Final, Literal

import msgspec

from appliance.model.patterns import found_in
from appliance.model.price_names import price_of
from appliance.model.usage import MAX_COST

Attributes = Mapping[str, Mapping[str, Any]]
"""The model parameters and the metadata of an observation, under `model_parameters` and `metadata`."""


class TierCondition(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Compares the sum of some usage types with a number of units, or an attribute with the values it may have."""

    operator: Literal["gt", "gte", "lt", "lte", "eq", "neq", "in"]
    usage_detail_pattern: str = ""
    """Regular expression on usage types; empty where an attribute is asked for."""
    value: float = 0
    case_sensitive: bool = False
    source: Literal["model_parameters", "metadata"] | None = None
    key: str = ""
    values: tuple[str, ...] = ()

    def holds(self, usage: Mapping[str, float], attributes: Attributes) -> bool:
        """Whether the condition is met."""
        if self.source is not None:
            value = attributes.get(self.source, {}).get(self.key, "")
            return (str(value).lower() if isinstance(value, bool) else str(value)) in self.values
        pattern, is_loose = self.usage_detail_pattern, not self.case_sensitive
        units = sum([value for key, value in usage.items() if _names(pattern, key[:_MOST_CHARS], is_loose)])
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
            case "in":
                return False


@lru_cache(maxsize=4096)
def _names(pattern: str, usage_type: str, ignore_case: bool) -> bool:
    """Whether a pattern finds a usage type: few pairs, asked for with every observation."""
    return found_in(pattern, usage_type, ignore_case=ignore_case)


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
    """Regular expression that is searched for in the name as sent."""
    pricing_tiers: tuple[PricingTier, ...]
    project_id: str | None = None
    """None for the built-in ones."""
    start_date: int | None = None
    """Only for observations that begin then or later, microseconds since the epoch; None for all."""
    created_at: int = 0
    """Microseconds since the epoch."""
    unit: str | None = None
    tokenizer_id: str | None = None
    """`openai` or `claude`; None when tokens are never counted for it."""
    tokenizer_config: Any = None

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The compiled pattern of a built-in model; case never matters in those, which start with (?i)."""
        return re.compile(self.match_pattern)

    @cached_property
    def reads_attributes(self) -> bool:
        """Whether any tier depends on model parameters or metadata."""
        return any(each.source for tier in self.pricing_tiers for each in tier.conditions)

    @cached_property
    def _special_tiers(self) -> list[PricingTier]:
        return sorted((tier for tier in self.pricing_tiers if not tier.is_default), key=lambda tier: tier.priority)

    @cached_property
    def default_tier(self) -> PricingTier | None:
        """The tier without conditions."""
        return next((tier for tier in self.pricing_tiers if tier.is_default), None)

    def tier_for(self, usage: Mapping[str, float], attributes: Attributes | None = None) -> PricingTier | None:
        """The first tier by priority whose conditions all hold, else the default one."""
        values = attributes or {}
        for tier in self._special_tiers:
            for condition in tier.conditions:
                if not condition.holds(usage, values):
                    break
            else:
                return tier
        return self.default_tier


class Pricing:
    """All known models; an own definition of a project wins over a built-in one, a newer one over an older one."""

    def __init__(self, built_in: Iterable[ModelDefinition], own: Iterable[ModelDefinition] = ()) -> None:
        self._built_in = tuple(built_in)
        self._own: dict[str, list[ModelDefinition]] = {}
        for model in sorted(own, key=_newest_first):
            self._own.setdefault(model.project_id or "", []).append(model)
        # A project uses few names, but each is looked up for every observation.
        self._by_name: dict[tuple[str, str], tuple[ModelDefinition, ...]] = {}

    def match(self, project_id: str, model: str, start: int) -> ModelDefinition | None:
        """The definition that counts for a model name as sent at `start`, microseconds since the epoch; None if none.

        The newest own one that had begun by then, or else the built-in one (contract: openapi, Model.modelName).
        """
        if len(model) > _MOST_CHARS:
            return None
        key = (project_id if project_id in self._own else "", model)
        candidates = self._by_name.get(key)
        if candidates is None:
            if len(self._by_name) >= _REMEMBERED_NAMES:
                self._by_name.clear()
            candidates = self._by_name[key] = self._candidates(*key)
        return next((each for each in candidates if each.start_date is None or each.start_date <= start), None)

    def _candidates(self, project_id: str, model: str) -> tuple[ModelDefinition, ...]:
        own = [each for each in self._own.get(project_id, ()) if found_in(each.match_pattern, model)]
        return (*own, *(each for each in self._built_in if each.pattern.search(model)))


_REMEMBERED_NAMES: Final = 10_000
_MOST_CHARS: Final = 1_000
"""No model or usage type has a longer name, and what anybody sends must not fill the memory."""


def _newest_first(model: ModelDefinition) -> tuple[bool, int, int, str]:
    """Those without a start come after all others; of two that begin together, the later one made counts."""
    return model.start_date is None, -(model.start_date or 0), -model.created_at, model.id


def price_usage(usage: Mapping[str, float], tier: PricingTier) -> dict[str, float]:
    """USD for each usage type, and `total`; empty when none has a price.

    A type without a price of its own costs what its side does. A model that is priced by `total` costs that alone
    (contract: server semantics section 5).
    """
    priced = ((key, units, price_of(key, tier.prices)) for key, units in usage.items())
    costs = {key: units * price for key, units, price in priced if price is not None}
    if usage.keys() == {"total"} and not costs and "input" in tier.prices and "output" not in tier.prices:
        costs["total"] = usage["total"] * tier.prices["input"]  # of an embedding
    if costs and "total" not in costs:
        costs["total"] = sum(costs.values())
    return {key: min(round(value, 12), MAX_COST) for key, value in costs.items()}


def total_of(provided: Mapping[str, float]) -> float | None:
    """The total of costs that were sent: their own, or else their sum; None when nothing was sent."""
    if "total" in provided:
        return provided["total"]
    return min(sum(provided.values()), MAX_COST) if provided else None
