"""The attributes of Langfuse's own SDKs (contract: SDK contract 4.2, server semantics 4.2)."""

from __future__ import annotations

from typing import Any, Final

from appliance.ingestion.json_text import parse_object, parse_or_keep, to_text
from appliance.ingestion.otel.draft import Draft
from appliance.ingestion.otel.first_token import moment_of
from appliance.ingestion.otel.metadata import metadata_of, metadata_text
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
_SCRUBBED: Final = "[Scrubbed due to "


class LangfuseMapper:
    """Reads `langfuse.*`, and the user and session attributes that OpenTelemetry shares with it."""

    prefixes = PREFIXES

    def map_span(self, span: Span, draft: Draft) -> None:
        """Everything these attributes say is final: this mapper comes first."""
        attributes = span.attributes
        self._map_observation(attributes, draft)
        self._map_model(attributes, draft)
        self._map_trace(attributes, draft)
        self._map_metadata(span, draft)
        if draft.type == "SPAN" and _is_old_generation(span, draft):
            draft.type = "GENERATION"

    def _map_observation(self, attributes: Attributes, draft: Draft) -> None:
        take = attributes.pop
        draft.type = _TYPES.get(str(take("langfuse.observation.type", "")).lower())
        draft.input = take("langfuse.observation.input", None)
        draft.output = take("langfuse.observation.output", None)
        if level := take("langfuse.observation.level", None):
            draft.level = _LEVELS.get(str(level).lower())
        draft.status_message = _text(take("langfuse.observation.status_message", None))
        draft.version = _text(take("langfuse.version", None))
        draft.release = _text(take("langfuse.release", None))
        if start := take("langfuse.observation.completion_start_time", None):
            draft.completion_start = moment_of(start)
        draft.as_root = _is_true(take("langfuse.internal.as_root", None))
        draft.is_app_root = _is_true(take("langfuse.internal.is_app_root", None))

    def _map_model(self, attributes: Attributes, draft: Draft) -> None:
        take = attributes.pop
        draft.model = _text(take("langfuse.observation.model.name", None))
        if found := take("langfuse.observation.model.parameters", None):
            draft.model_parameters = parse_object(found)
        if found := _details(attributes, "langfuse.observation.usage_details"):
            draft.usage = normalise_usage(found) or None
        draft.costs = _details(attributes, "langfuse.observation.cost_details")
        for prefix in ("langfuse.observation.prompt.", "langfuse.prompt."):
            name, version = take(f"{prefix}name", None), take(f"{prefix}version", None)
            number = whole_number(version)
            if name and draft.prompt_name is None and number is not None:
                draft.prompt_name, draft.prompt_version = str(name), number

    def _map_trace(self, attributes: Attributes, draft: Draft) -> None:
        take = attributes.pop
        draft.trace_name = _text(take("langfuse.trace.name", None))
        draft.trace_input = take("langfuse.trace.input", None)
        draft.trace_output = take("langfuse.trace.output", None)
        users = take("langfuse.user.id", None), take("user.id", None)
        draft.user_id = _text(users[0]) or _text(users[1])
        sessions = take("langfuse.session.id", None), take("session.id", None)
        draft.session_id = _text(sessions[0]) or _text(sessions[1])
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


def _details(attributes: Attributes, key: str) -> dict[str, Any] | None:
    """Amounts by type, from one object or from an attribute for each."""
    told = parse_object(attributes.pop(key, None))
    prefix = f"{key}."
    single = {name[len(prefix) :]: attributes.pop(name) for name in list(attributes) if name.startswith(prefix)}
    return {**(told or {}), **single} or None


def _text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    text = value if isinstance(value, str) else to_text(value)
    return None if text.startswith(_SCRUBBED) else text


def _is_true(value: Any) -> bool:
    return value is True or (isinstance(value, str) and value.lower() == "true")


def _is_old_generation(span: Span, draft: Draft) -> bool:
    """Python SDKs up to 3.3 sent generations as spans."""
    if not span.scope.is_langfuse_sdk or not span.scope.version.startswith(("3.0.", "3.1.", "3.2.", "3.3.0")):
        return False
    found = (draft.model, draft.model_parameters, draft.usage, draft.costs, draft.prompt_name, draft.completion_start)
    return any(value is not None for value in found)
