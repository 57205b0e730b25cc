"""Attributes that any span may have, for the fields that no convention has filled in."""

from __future__ import annotations

from typing import Final

from appliance.ingestion.enrich import COUNTED_TYPES
from appliance.ingestion.json_text import parse_object, to_json
from appliance.ingestion.otel.costs import take_costs
from appliance.ingestion.otel.draft import Draft
from appliance.ingestion.otel.first_token import first_token
from appliance.ingestion.otel.span import Span
from appliance.model.environments import normalise_environment

_ENVIRONMENT: Final = ("langfuse.environment", "deployment.environment.name", "deployment.environment")
_ERROR: Final = 2


def fill_rest(span: Span, draft: Draft) -> None:
    """Environment, level, status, version and release from the span and its resource; the type from the model."""
    attributes, resource = span.attributes, span.resource.attributes
    for key in _ENVIRONMENT:
        environment = attributes.get(key) or resource.get(key)
        if environment and draft.environment is None:
            draft.environment = str(environment)
        if environment and str(environment) == draft.environment:
            attributes.pop(key, None)
    draft.environment = normalise_environment(draft.environment)
    if draft.model is None and isinstance(model := attributes.get("model"), str) and model:
        # MLflow writes it as a JSON text.
        draft.model = attributes.pop("model").strip('"')
    if draft.model_parameters is None and (config := parse_object(attributes.get("model_config"))):
        draft.model_parameters = config
        del attributes["model_config"]
    draft.type = draft.type or ("GENERATION" if draft.model else "SPAN")
    _fill_call(span, draft)
    draft.level = draft.level or ("ERROR" if span.status_code == _ERROR else "DEFAULT")
    draft.status_message = draft.status_message or span.status_message or _exception(span) or None
    draft.version = draft.version or span.resource.text("service.version") or None
    draft.release = draft.release or span.resource.text("langfuse.release") or None
    draft.name = draft.name or span.name
    if draft.type in ("SPAN", "EVENT"):
        set_aside(draft)


def _fill_call(span: Span, draft: Draft) -> None:
    """Fill in the costs of a model call, the time of its first token, and the provider."""
    attributes = span.attributes
    draft.costs = draft.costs or take_costs(attributes)
    if draft.completion_start is None and draft.type in COUNTED_TYPES:
        draft.completion_start = first_token(span)
    draft.provider = draft.provider or next((str(attributes[key]) for key in _PROVIDERS if attributes.get(key)), None)


_PROVIDERS: Final = ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system")


def _exception(span: Span) -> str:
    """The text of a recorded exception, for a failed span without a status message."""
    if span.status_code != _ERROR:
        return ""
    for event in span.events:
        if event.name == "exception":
            texts = (event.attributes.get("exception.type"), event.attributes.get("exception.message"))
            return ": ".join(str(part) for part in texts if part)
    return ""


def set_aside(draft: Draft) -> None:
    """Move model, usage and costs to metadata, where they are not counted again."""
    counted = {"model": draft.model, "usage": draft.usage, "costs": draft.costs, "parameters": draft.model_parameters}
    if present := {key: value for key, value in counted.items() if value}:
        draft.metadata["aggregate"] = to_json(present)
        draft.model = draft.usage = draft.costs = draft.model_parameters = None
