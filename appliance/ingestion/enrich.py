"""Enriches observations: tokens that were not sent, the total, the matched model, and the cost."""

from __future__ import annotations

from typing import Final

from appliance.ingestion.json_text import parse_object
from appliance.ingestion.token_count import count_usage
from appliance.model.local_models import local_runner
from appliance.model.observations import Observation
from appliance.model.pricing import Attributes, ModelDefinition, Pricing, price_usage, total_of
from appliance.model.usage import Usage, add_total, rounded

COUNTED_TYPES: Final = frozenset({"GENERATION", "EMBEDDING"})
"""Types whose tokens are counted; others that name a model, such as agents, hold such calls."""


def enrich_costs(
    row: Observation,
    pricing: Pricing,
    sent_usage: Usage,
    *,
    requested_model: str | None = None,
    provider: str | None = None,
    holds_calls: bool = False,
) -> None:
    """Set usage, model id, tier and costs from the model and the sent usage (server semantics section 5).

    Sent costs are kept, and none is computed beside them. `requested_model` decides the price when the row's own model
    is unknown. `holds_calls` says that calls of models are among the children of this
    observation, so that their tokens are not counted again here.
    """
    model = _definition(row, pricing, (row.model, requested_model), local_runner(provider))
    row.provided_usage_details = rounded(sent_usage)
    usage = add_total(sent_usage)
    if model is not None and not usage and not holds_calls:
        usage = _counted(row, model)
    row.usage_details = rounded(usage)
    tier = None
    if model is not None:
        row.model_id = model.id
        tier = model.tier_for(usage, _attributes(row) if model.reads_attributes else None)
        if tier is not None:
            row.pricing_tier_id, row.pricing_tier_name = tier.id, tier.name
    if row.provided_cost_details:
        row.cost_details = dict(row.provided_cost_details)
        row.total_cost = total_of(row.cost_details)
        if row.total_cost is not None:
            row.cost_details["total"] = row.total_cost
    elif tier is not None:
        row.cost_details = price_usage(usage, tier)
        row.total_cost = row.cost_details.get("total")


def _definition(
    row: Observation, pricing: Pricing, names: tuple[str | None, ...], runner: str | None
) -> ModelDefinition | None:
    """The definition of the first known name; a local model has the price of its runner's models."""
    for name in names:
        if not name:
            continue
        definition = pricing.match(row.project_id, name, row.start_time)
        if runner and (definition is None or definition.project_id is None):
            definition = pricing.match(row.project_id, f"{runner}/{name}", row.start_time)
        if definition is not None:
            return definition
    return None


def _counted(row: Observation, model: ModelDefinition) -> Usage:
    """The counted tokens of the texts; none of a failed call, which was not billed, or of one that has not ended yet.

    A span that ended without an answer is not the whole call: libraries report the answer of a stream by another span.
    """
    is_span = row.source == "otel" and row.type == "GENERATION"
    is_open = not row.output and (is_span or row.end_time is None)
    if is_open or row.level == "ERROR" or row.type not in COUNTED_TYPES:
        return {}
    return count_usage(model, row.input, "" if row.type == "EMBEDDING" else row.output)


def _attributes(row: Observation) -> Attributes:
    parameters = parse_object(row.model_parameters) if row.model_parameters else None
    return {"model_parameters": parameters or {}, "metadata": row.metadata}
