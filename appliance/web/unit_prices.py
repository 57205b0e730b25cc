"""Prices per unit of an observation's usage."""

from __future__ import annotations

from functools import cache

from appliance.model.observations import Observation
from appliance.model.price_table import built_in_models


def unit_price(row: Observation, kind: str) -> float | None:
    """USD per unit of one usage type by the matched price tier; null when no model matched or it has no such price.

    The price of a tier that does not come with the package is derived from cost and usage.
    """
    if not row.model_id:
        return None
    built_in = _tier_prices().get(row.pricing_tier_id)
    if built_in is not None:
        return built_in.get(kind)
    units, cost = row.usage_details.get(kind), row.cost_details.get(kind)
    if row.provided_cost_details or not units or cost is None:
        return None
    return float(f"{cost / units:.10g}")


@cache
def _tier_prices() -> dict[str, dict[str, float]]:
    return {tier.id: tier.prices for model in built_in_models() for tier in model.pricing_tiers}
