"""Which sets of pricing tiers make sense (contract: openapi, PricingTierInput)."""

from __future__ import annotations

from collections.abc import Sequence

from appliance.model.patterns import BadPattern, check_patterns
from appliance.model.pricing import PricingTier, TierCondition


def tiers_fault(tiers: Sequence[PricingTier]) -> str | None:
    """Why a model cannot have these tiers, None when it can."""
    defaults = [tier for tier in tiers if tier.is_default]
    if len(defaults) != 1:
        return "pricingTiers need exactly one default tier."
    if defaults[0].priority != 0:
        return "Default pricing tier must have priority 0"
    if defaults[0].conditions:
        return "Default pricing tier must have empty conditions array"
    if any(not tier.is_default and not tier.conditions for tier in tiers):
        return "Every tier but the default one needs conditions."
    for what in ("name", "priority"):
        if len({getattr(tier, what) for tier in tiers}) < len(tiers):
            return f"Each tier needs its own {what}."
    conditions = [condition for tier in tiers for condition in tier.conditions]
    if fault := next(filter(None, map(_condition_fault, conditions)), None):
        return fault
    try:
        check_patterns(condition.usage_detail_pattern for condition in conditions if condition.source is None)
    except BadPattern as error:
        return f"usageDetailPattern: {error}."
    return None


def _condition_fault(condition: TierCondition) -> str | None:
    if condition.source is not None:
        if condition.operator != "in" or not condition.key or not condition.values:
            return 'A condition on an attribute needs a key, the operator "in" and values.'
        return None
    if condition.operator == "in" or not condition.usage_detail_pattern:
        return "A condition needs a usageDetailPattern with a comparison, or the source of an attribute."
    return None
