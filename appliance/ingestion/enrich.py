"""What we know beyond what was sent: tokens that were not told, the total, the matched model, and the cost."""

from __future__ import annotations

from typing import Final

from appliance.ingestion.json_text import parse_object
from appliance.ingestion.token_count import count_usage
from appliance.model.observations import Observation
from appliance.model.pricing import Attributes, ModelDefinition, Pricing, price_usage, total_of
from appliance.model.usage import add_total

COUNTED_TYPES: Final = frozenset({"GENERATION", "EMBEDDING"})
"""Others that name a model, such as agents, hold the calls that are counted."""


def enrich_costs(row: Observation, pricing: Pricing, *, holds_calls: bool = False) -> None:
    """Set usage, model id, tier and costs from the model and from what was provided (server semantics section 5).

    Costs that were sent are taken as they are; nothing is computed beside them. `holds_calls` says that calls of models
    are among the children of this observation, so their tokens are not counted here once more.
    """
    model = pricing.match(row.project_id, row.model, row.start_time) if row.model else None
    row.usage_details = add_total(row.provided_usage_details)
    if model is not None and not row.usage_details and not holds_calls:
        row.usage_details = _counted(row, model)
    tier = None
    if model is not None:
        row.model_id = model.id
        tier = model.tier_for(row.usage_details, _attributes(row) if model.reads_attributes else None)
        if tier is not None:
            row.pricing_tier_id, row.pricing_tier_name = tier.id, tier.name
    if row.provided_cost_details:
        row.cost_details = dict(row.provided_cost_details)
        row.total_cost = total_of(row.cost_details)
        if row.total_cost is not None:
            row.cost_details["total"] = row.total_cost
    elif tier is not None:
        row.cost_details = price_usage(row.usage_details, tier)
        row.total_cost = row.cost_details.get("total")


def _counted(row: Observation, model: ModelDefinition) -> dict[str, int]:
    """The tokens of the texts; none of a call that failed, which was not billed, or that an update has still to end.

    A span that ended without an answer is not the whole call either: libraries report a stream's answer by another one.
    """
    is_span = row.source == "otel" and row.type == "GENERATION"
    is_open = not row.output and (is_span or row.end_time is None)
    if is_open or row.level == "ERROR" or row.type not in COUNTED_TYPES:
        return {}
    return count_usage(model, row.input, "" if row.type == "EMBEDDING" else row.output)


def _attributes(row: Observation) -> Attributes:
    parameters = parse_object(row.model_parameters) if row.model_parameters else None
    return {"model_parameters": parameters or {}, "metadata": row.metadata}
