"""The attributes of Langfuse's own SDKs (contract: SDK contract 4.2, server semantics 4.2)."""

from __future__ import annotations

from typing import Any, Final

from appliance.ingestion.json_text import parse_object, parse_or_keep, to_text
from appliance.ingestion.otel.draft import Draft
from appliance.ingestion.otel.first_token import moment_of
from appliance.ingestion.otel.metadata import metadata_of, metadata_text, take_known
from appliance.ingestion.otel.span import Attributes, Span
from appliance.ingestion.token_usage import normalise_usage
from appliance.model.observations import OBSERVATION_TYPES
from appliance.model.usage import whole_number

PREFIXES: Final = frozenset({"langfuse", "user", "session"})

_TYPES: Final = {name.lower(): name for name in OBSERVATION_TYPES}
_LEVELS: Final = {
    "debug": "DEBUG",
    "trace": "DEBUG",
    "verbose": "DEBUG",
    "default": "DEFAULT",
    "info": "DEFAULT",
    "log": "DEFAULT",
    "notice": "DEFAULT",
    "ok": "DEFAULT",
    "success": "DEFAULT",
    "warning": "WARNING",
    "warn": "WARNING",
    "error": "ERROR",
    "fatal": "ERROR",
    "critical": "ERROR",
}
_OBSERVATION_METADATA: Final = ("langfuse.observation.metadata.", "langfuse.metadata.")
_TRACE_METADATA: Final = "langfuse.trace.metadata."
_EXPERIMENT: Final = "langfuse.experiment."
_VERSIONS: Final = ("langfuse.version", "langfuse.generation.version", "langfuse.trace.version")
_USAGE: Final = "langfuse.observation.usage_details"
_COSTS: Final = "langfuse.observation.cost_details"
_AMOUNTS: Final = (f"{_USAGE}.", f"{_COSTS}.")
"""Where amounts stand in an attribute for each type."""
_SCRUBBED: Final = "[Scrubbed due to "


class LangfuseMapper:
    """Reads `langfuse.*`, and the user and session attributes that OpenTelemetry shares with it."""

    prefixes = PREFIXES

    def map_span(self, span: Span, draft: Draft) -> None:
        """Everything these attributes say is final: this mapper comes first."""
        attributes = span.attributes
        self._map_observation(span, draft)
        self._map_model(attributes, draft)
        self._map_trace(attributes, draft)
        self._map_metadata(span, draft)
        if draft.type == "SPAN" and _is_old_generation(span, draft):
            draft.type = "GENERATION"

    def _map_observation(self, span: Span, draft: Draft) -> None:
        attributes = span.attributes
        take = attributes.pop
        if parent := _text(take("langfuse.generation.parent_observation_id", None)):  # LiteLLM's
            span.parent_id = parent
        draft.type = take_known(attributes, "langfuse.observation.type", _TYPES)
        draft.name = _text(take("langfuse.generation.name", None))
        draft.input = take("langfuse.observation.input", None)
        draft.output = take("langfuse.observation.output", None)
        draft.level = take_known(attributes, "langfuse.observation.level", _LEVELS)
        draft.status_message = _text(take("langfuse.observation.status_message", None))
        draft.version = _first_text(attributes, *_VERSIONS)
        draft.release = _first_text(attributes, "langfuse.release", "langfuse.trace.release")
        if start := take("langfuse.observation.completion_start_time", None):
            draft.completion_start = moment_of(start)
        draft.as_root = _is_true(take("langfuse.internal.as_root", None))
        draft.is_app_root = _is_true(take("langfuse.internal.is_app_root", None))

    def _map_model(self, attributes: Attributes, draft: Draft) -> None:
        take = attributes.pop
        draft.model = _text(take("langfuse.observation.model.name", None))
        draft.model_parameters = _take_object(attributes, "langfuse.observation.model.parameters")
        draft.usage = _take_object(attributes, _USAGE)
        draft.costs = _take_object(attributes, _COSTS)
        for key in [key for key in attributes if key.startswith(_AMOUNTS)]:
            if key.startswith(_AMOUNTS[0]):
                draft.usage = (draft.usage or {}) | {key[len(_AMOUNTS[0]) :]: attributes.pop(key)}
            else:
                draft.costs = (draft.costs or {}) | {key[len(_AMOUNTS[1]) :]: attributes.pop(key)}
        if draft.usage is not None:
            draft.usage = normalise_usage(draft.usage) or None
        for prefix in ("langfuse.observation.prompt.", "langfuse.prompt."):
            name, number = attributes.get(f"{prefix}name"), whole_number(attributes.get(f"{prefix}version"))
            if name and draft.prompt_name is None and number is not None:
                draft.prompt_name, draft.prompt_version = str(name), number
                del attributes[f"{prefix}name"], attributes[f"{prefix}version"]

    def _map_trace(self, attributes: Attributes, draft: Draft) -> None:
        take = attributes.pop
        draft.trace_name = _text(take("langfuse.trace.name", None))
        draft.trace_input = take("langfuse.trace.input", None)
        draft.trace_output = take("langfuse.trace.output", None)
        draft.user_id = _first_text(attributes, "langfuse.user.id", "user.id")
        draft.session_id = _first_text(attributes, "langfuse.session.id", "session.id")
        tags = take("langfuse.trace.tags", None), take("langfuse.tags", None)
        draft.tags = tags_of(tags[0]) or tags_of(tags[1])
        publics = take("langfuse.trace.public", None), take("langfuse.public", None)
        draft.public = any(_is_true(value) for value in publics)

    def _map_metadata(self, span: Span, draft: Draft) -> None:
        attributes, is_json = span.attributes, span.scope.has_json_metadata
        for key in [key for key in attributes if key.startswith("langfuse.")]:
            if key.startswith(_TRACE_METADATA):
                draft.trace_metadata[key[len(_TRACE_METADATA) :]] = metadata_text(attributes.pop(key), is_json=is_json)
            elif key.startswith(_EXPERIMENT):
                draft.experiment[key[len(_EXPERIMENT) :]] = to_text(attributes[key])
            elif key == "langfuse.trace.metadata":
                draft.trace_metadata |= metadata_of(attributes.pop(key), is_json=is_json)
            elif key in ("langfuse.observation.metadata", "langfuse.metadata"):
                draft.metadata |= metadata_of(attributes.pop(key), is_json=is_json)
            else:
                for prefix in _OBSERVATION_METADATA:
                    if key.startswith(prefix):
                        draft.metadata[key[len(prefix) :]] = metadata_text(attributes.pop(key), is_json=is_json)
        for metadata in (draft.metadata, draft.trace_metadata):
            if metadata and (metadata.keys() & _HANDED_ON):
                _take_handed_on(metadata, draft)


# Integrations hand user, session and tags on as metadata of a chain.
_HANDED_ON: Final = frozenset({"langfuse_user_id", "langfuse_session_id", "langfuse_tags"})


def _take_handed_on(metadata: dict[str, str], draft: Draft) -> None:
    draft.user_id = draft.user_id or metadata.pop("langfuse_user_id", None)
    draft.session_id = draft.session_id or metadata.pop("langfuse_session_id", None)
    draft.tags = draft.tags or tags_of(metadata.pop("langfuse_tags", None))


def tags_of(value: Any) -> list[str] | None:
    """Tags from a list, the JSON text of one, a list with commas, or a single tag; None when there are none."""
    if not value:
        return None
    if isinstance(value, str):
        found = parse_or_keep(value) if value[0] == "[" else value
        value = found if isinstance(found, list) else [part.strip() for part in value.split(",")]
    if not isinstance(value, list):
        value = [value]
    return [to_text(tag) for tag in value if tag not in (None, "")] or None


def _text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    text = value if isinstance(value, str) else to_text(value)
    return None if text.startswith(_SCRUBBED) else text


def _first_text(attributes: Attributes, *names: str) -> str | None:
    """The first of the names that has a text; those that say the same, or nothing, are taken out as well."""
    chosen = None
    for name in names:
        if name in attributes:
            found = _text(attributes[name])
            chosen = chosen or found
            if found in (None, chosen):
                del attributes[name]
    return chosen


def _take_object(attributes: Attributes, name: str) -> dict[str, Any] | None:
    """The object that an attribute holds as JSON; anything else stays where it is."""
    found = parse_object(attributes.get(name))
    if found is not None:
        del attributes[name]
    return found


def _is_true(value: Any) -> bool:
    return value is True or (isinstance(value, str) and value.lower() == "true")


def _is_old_generation(span: Span, draft: Draft) -> bool:
    """Python SDKs up to 3.3 sent generations as spans."""
    if not span.scope.is_langfuse_sdk or not span.scope.version.startswith(("3.0.", "3.1.", "3.2.", "3.3.0")):
        return False
    found = (draft.model, draft.model_parameters, draft.usage, draft.costs, draft.prompt_name, draft.completion_start)
    return any(value is not None for value in found)
