"""Turns a span and its draft into the stored row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import msgspec

from appliance.ingestion.enrich import enrich_costs
from appliance.ingestion.json_text import to_json, to_text
from appliance.ingestion.otel.conventions.gen_ai import MESSAGE_EVENTS
from appliance.ingestion.otel.conventions.generic import set_aside
from appliance.ingestion.otel.draft import Draft
from appliance.ingestion.otel.span import Span
from appliance.ingestion.source import EntrySource
from appliance.ingestion.tools import tool_use
from appliance.model.observations import Observation
from appliance.model.own_totals import OwnTotals
from appliance.model.pricing import Pricing
from appliance.model.times import iso_text
from appliance.model.usage import normalise_costs

MAX_PROMPT_VERSION: Final = 65_535
"""The column is a UInt16."""


def observation_of(
    span: Span, draft: Draft, source: EntrySource, pricing: Pricing, *, holds_calls: bool = False
) -> Observation:
    """The complete row of one span: spans are immutable, so no stored row is needed.

    `holds_calls` means that calls of models are among its children. Totals that repeat those of its children become
    metadata.
    """
    if draft.is_aggregate:
        set_aside(draft)
    row = Observation(
        project_id=source.project_id,
        trace_id=span.trace_id,
        id=span.id,
        start_time=span.start,
        end_time=span.end,
        event_ts=source.accepted_at,
        created_at=source.accepted_at,
        updated_at=source.accepted_at,
        parent_id=span.parent_id,
        type=draft.type or "SPAN",
        name=draft.name or "",
        completion_start_time=draft.completion_start,
        environment=draft.environment or "default",
        level=draft.level or "DEFAULT",
        status_message=draft.status_message or "",
        version=draft.version or "",
        release=draft.release or "",
        is_root=not span.parent_id or draft.as_root,
        is_app_root=draft.is_app_root,
        trace_name=draft.trace_name or "",
        user_id=draft.user_id or "",
        session_id=draft.session_id or draft.conversation_id or "",
        tags=draft.tags or [],
        public=draft.public,
        input="" if draft.input is None else to_text(draft.input),
        output="" if draft.output is None else to_text(draft.output),
        metadata=draft.metadata,
        experiment=draft.experiment,
    )
    _set_origin(row, span, source)
    if draft.model or draft.usage or draft.costs or draft.model_parameters:
        _set_model(row, draft, pricing, holds_calls)
    if row.type == "GENERATION":
        if draft.prompt_name and (draft.prompt_version or 0) <= MAX_PROMPT_VERSION:
            row.prompt_name, row.prompt_version = draft.prompt_name, draft.prompt_version or 0
        set_tools(row, span.attributes)
    return row


def own_totals(span: Span, draft: Draft, source: EntrySource, pricing: Pricing) -> OwnTotals | None:
    """The rows of an agent with and without its own totals; None for a span without totals."""
    if not draft.is_aggregate or not (draft.usage or draft.costs):
        return None
    own = replace(draft, is_aggregate=False, metadata=dict(draft.metadata))
    counted = observation_of(span, own, source, pricing, holds_calls=True)
    apart = observation_of(span, replace(draft, metadata=dict(draft.metadata)), source, pricing, holds_calls=True)
    only_cost = apart
    if draft.costs:
        only_cost = msgspec.structs.replace(
            apart,
            provided_cost_details=counted.provided_cost_details,
            cost_details=counted.cost_details,
            total_cost=counted.total_cost,
        )
    return OwnTotals(counted, only_cost, apart)


def _set_origin(row: Observation, span: Span, source: EntrySource) -> None:
    row.service_name = span.resource.text("service.name")
    row.scope_name, row.scope_version = span.scope.name, span.scope.version
    row.sdk_name, row.sdk_version = source.sdk_name, source.sdk_version


def set_tools(row: Observation, attributes: Mapping[str, Any] | None = None) -> None:
    """Set the tools that the model was offered and those it called, from the row's input and output."""
    use = tool_use(row.input, row.output, attributes)
    row.tool_definitions, row.tool_calls, row.tool_call_names = use.definitions, use.calls, use.names


def complete_metadata(span: Span, draft: Draft) -> None:
    """Add the span's origin to its metadata, with the attributes, events and links that no convention has read."""
    rest = span.attributes
    if span.scope.is_langfuse_sdk and rest:  # the SDK's own attributes address the server
        rest = {key: value for key, value in rest.items() if not key.startswith("langfuse.")}
    if rest:
        _add(draft, "attributes", to_json({key: to_text(value) for key, value in rest.items()}))
    if draft.prompt_name and draft.type != "GENERATION":  # kept as a link of generations only
        _add(draft, "prompt", to_json({"name": draft.prompt_name, "version": draft.prompt_version}))
    for key, values in (("otherInput", draft.other_inputs), ("otherOutput", draft.other_outputs)):
        if values:
            _add(draft, key, to_text(values[0]) if len(values) == 1 else to_json(values))
    if events := [event for event in span.events if event.name not in MESSAGE_EVENTS]:
        listed = [{"name": e.name, "time": iso_text(e.time), "attributes": e.attributes} for e in events]
        _add(draft, "events", to_json(listed))
    if links := span.links:
        named = [{"traceId": each.trace_id, "spanId": each.span_id, "attributes": each.attributes} for each in links]
        _add(draft, "links", to_json(named))
    _add(draft, "resourceAttributes", span.resource.json)
    _add(draft, "scope", span.scope.json)


def _add(draft: Draft, key: str, text: str) -> None:
    """Add a value of the server to metadata, below `otel.` when the program has set this key itself."""
    draft.metadata[f"otel.{key}" if key in draft.metadata else key] = text


def parameters_text(parameters: dict[str, Any]) -> str:
    """Model parameters as a JSON object of texts and numbers; any other value becomes compact JSON text."""
    plain = {
        key: value if isinstance(value, (str, int, float)) and not isinstance(value, bool) else to_json(value)
        for key, value in parameters.items()
        if value is not None
    }
    return to_json(plain) if plain else ""


def _set_model(row: Observation, draft: Draft, pricing: Pricing, holds_calls: bool) -> None:
    row.model = draft.model or ""
    if draft.model_parameters:
        row.model_parameters = parameters_text(draft.model_parameters)
    if draft.costs:
        row.provided_cost_details = normalise_costs(draft.costs)
    enrich_costs(
        row,
        pricing,
        draft.usage or {},
        requested_model=draft.requested_model,
        provider=draft.provider,
        holds_calls=holds_calls,
    )
