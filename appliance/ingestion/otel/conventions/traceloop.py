"""Traceloop's OpenLLMetry, both generations, and LiteLLM which follows the older one (conventions notes 5 and 6)."""

from __future__ import annotations

from typing import Final

from appliance.ingestion.json_text import parse_object
from appliance.ingestion.otel.conventions.langfuse import tags_of
from appliance.ingestion.otel.draft import Draft
from appliance.ingestion.otel.metadata import metadata_text, take_known, take_text
from appliance.ingestion.otel.span import Attributes, Span
from appliance.ingestion.otel.unflatten import unflatten
from appliance.ingestion.token_usage import take_counts, usage_from_counts

_TYPES: Final = {"tool": "TOOL", "agent": "AGENT"}
_ENTITIES: Final = {"Retriever": "RETRIEVER", "FunctionTool": "TOOL"}
"""Types by the ending of the LlamaIndex class that a task is named after."""
_REQUESTS: Final = {
    "chat": "GENERATION",
    "completion": "GENERATION",
    "embedding": "EMBEDDING",
    "rerank": "RETRIEVER",
}
_PARAMETERS: Final = {
    "temperature": "llm.temperature",
    "top_p": "llm.top_p",
    "max_tokens": "llm.request.max_tokens",
    "frequency_penalty": "llm.frequency_penalty",
    "presence_penalty": "llm.presence_penalty",
    "stop": "llm.chat.stop_sequences",
}
_USAGE: Final = "llm.usage."
_PROPERTIES: Final = "traceloop.association.properties."
_SESSIONS: Final = ("session_id", "sessionId", "langfuse_session_id", "conversation_id", "thread_id")
_USERS: Final = ("user_id", "userId", "langfuse_user_id")
_TAGS: Final = ("tags", "langfuse_tags")


class TraceloopMapper:
    """Reads `traceloop.*`, and the attributes `llm.*` of the older generation."""

    prefixes = frozenset({"traceloop", "llm"})

    def map_span(self, span: Span, draft: Draft) -> None:
        """Fill in what is still open."""
        attributes = span.attributes
        self._map_entity(attributes, draft)
        self._map_properties(attributes, draft)
        draft.type = draft.type or take_known(attributes, "llm.request.type", _REQUESTS)
        self._map_old_names(attributes, draft)
        user = attributes.pop("llm.user", None)
        draft.user_id = draft.user_id or (str(user) if user else None)
        counts = take_counts(attributes, _USAGE)
        if any(key.startswith("gen_ai.usage.") for key in attributes):
            for key, units in counts.items():  # mixed versions: some counts may have the newer names
                attributes.setdefault(f"gen_ai.usage.{key}", units)
        elif counts and draft.usage is None:
            draft.usage = usage_from_counts(counts)

    def _map_old_names(self, attributes: Attributes, draft: Draft) -> None:
        """Read the `llm.*` names of the first versions, from before OpenTelemetry had its own."""
        models = attributes.pop("llm.response.model", None), attributes.pop("llm.request.model", None)
        draft.model = draft.model or next((str(model) for model in models if model), None)
        draft.requested_model = draft.requested_model or (str(models[1]) if models[1] else None)
        parameters = {name: attributes.pop(key) for name, key in _PARAMETERS.items() if key in attributes}
        draft.model_parameters = draft.model_parameters or parameters or None
        for offer, prefix in ((draft.offer_input, "llm.prompts."), (draft.offer_output, "llm.completions.")):
            flat = {key[len(prefix) :]: attributes.pop(key) for key in list(attributes) if key.startswith(prefix)}
            if flat:
                offer(unflatten(flat))

    def _map_entity(self, attributes: Attributes, draft: Draft) -> None:
        take = attributes.pop
        kind = take_known(attributes, "traceloop.span.kind", _TYPES)
        entity_input, entity_output = take("traceloop.entity.input", None), take("traceloop.entity.output", None)
        entity = str(attributes.get("traceloop.entity.name", "")).removesuffix(".task")
        suffix = next((ending for ending in _ENTITIES if entity.endswith(ending)), "")
        draft.type = draft.type or kind or _ENTITIES.get(suffix)
        if suffix == "FunctionTool" and (tool := (parse_object(entity_output) or {}).get("tool_name")):
            draft.name = draft.name or str(tool)
        draft.offer_input(entity_input)
        draft.offer_output(entity_output)

    def _map_properties(self, attributes: Attributes, draft: Draft) -> None:
        properties = {
            key[len(_PROPERTIES) :]: attributes.pop(key) for key in list(attributes) if key.startswith(_PROPERTIES)
        }
        draft.session_id = draft.session_id or take_text(properties, _SESSIONS)
        draft.user_id = draft.user_id or take_text(properties, _USERS)
        for key in _TAGS:
            draft.tags = draft.tags or tags_of(properties.pop(key, None))
        for key, value in properties.items():
            draft.metadata.setdefault(key, metadata_text(value))
