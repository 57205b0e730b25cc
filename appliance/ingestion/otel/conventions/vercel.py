"""Vercel's AI SDK, versions 4 to 6 (contract: server semantics 4.2 to 4.5, conventions notes 3)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

from appliance.ingestion.json_text import parse_object, parse_or_keep
from appliance.ingestion.otel.conventions.langfuse import tags_of
from appliance.ingestion.otel.draft import Draft
from appliance.ingestion.otel.metadata import metadata_text
from appliance.ingestion.otel.span import Attributes, Span
from appliance.ingestion.token_names import INPUT, meaning_of
from appliance.ingestion.token_usage import raw_details, usage_from_counts
from appliance.model.times import clamp
from appliance.model.usage import Usage, whole_number

_CALLS: Final = {
    "ai.generateText.doGenerate": "GENERATION",
    "ai.streamText.doStream": "GENERATION",
    "ai.generateObject.doGenerate": "GENERATION",
    "ai.streamObject.doStream": "GENERATION",
    "ai.embed.doEmbed": "EMBEDDING",
    "ai.embedMany.doEmbed": "EMBEDDING",
    "ai.rerank.doRerank": "RETRIEVER",
    "ai.toolCall": "TOOL",
}
_SENTRY: Final = "vercel."
_METADATA: Final = "ai.telemetry.metadata."
_INPUTS: Final = ("ai.prompt.messages", "ai.prompt", "ai.toolCall.args", "ai.values", "ai.value")
_OUTPUTS: Final = (
    "ai.result.text",
    "ai.toolCall.result",
    "ai.response.object",
    "ai.result.object",
    "ai.result.toolCalls",
    "ai.embeddings",
    "ai.embedding",
)
_PARAMETERS: Final = {
    "maxSteps": ("ai.settings.maxSteps",),
    "toolChoice": ("ai.prompt.toolChoice",),
    "maxTokens": ("ai.settings.maxOutputTokens", "ai.settings.maxTokens", "gen_ai.request.max_tokens"),
    "finishReason": ("ai.response.finishReason", "ai.finishReason"),
    "system": ("gen_ai.system", "ai.model.provider"),
    "maxRetries": ("ai.settings.maxRetries",),
    "mode": ("ai.settings.mode",),
    "temperature": ("ai.settings.temperature", "gen_ai.request.temperature"),
}


class VercelMapper:
    """Reads `ai.*`."""

    prefixes = frozenset({"ai", "vercel"})

    def map_span(self, span: Span, draft: Draft) -> None:
        """Fill in what is still open; Sentry's SDK puts `vercel.` before what it does not rename."""
        renamed = {key[len(_SENTRY) :]: key for key in span.attributes if key.startswith(f"{_SENTRY}ai.")}
        for key, sentrys in renamed.items():
            span.attributes.setdefault(key, span.attributes.pop(sentrys))
        self._map_plain(span, draft)
        for key in renamed.keys() & span.attributes.keys():
            span.attributes[renamed[key]] = span.attributes.pop(key)

    def _map_plain(self, span: Span, draft: Draft) -> None:
        attributes = span.attributes
        self._map_telemetry(attributes, draft)
        operation = _operation(attributes)
        if not operation:
            return
        self._map_kind(attributes, operation, draft)
        first = attributes.pop("ai.response.msToFirstChunk", attributes.pop("ai.stream.msToFirstChunk", None))
        if draft.completion_start is None and isinstance(first, (int, float)):
            draft.completion_start = clamp(span.start + math.ceil(max(first, 0)) * 1000)
        _map_input_output(attributes, draft)
        if not draft.is_aggregate:
            _map_model(span, operation, draft)

    def _map_kind(self, attributes: Attributes, operation: str, draft: Draft) -> None:
        function, tool = attributes.pop("ai.telemetry.functionId", None), attributes.pop("ai.toolCall.name", None)
        draft.name = draft.name or str(tool or (f"{function}:{operation}" if function else operation))
        # The steps around a call repeat its usage, or the sum of several.
        draft.is_aggregate = draft.is_aggregate or operation not in _CALLS
        if "openinference.span.kind" not in attributes:
            draft.type = draft.type or _CALLS.get(operation, "SPAN")

    def _map_telemetry(self, attributes: Attributes, draft: Draft) -> None:
        metadata = {key[len(_METADATA) :]: attributes.pop(key) for key in list(attributes) if key.startswith(_METADATA)}
        user, session = metadata.pop("userId", None), metadata.pop("sessionId", None)
        draft.user_id = draft.user_id or (str(user) if user else None)
        draft.session_id = draft.session_id or (str(session) if session else None)
        draft.tags = draft.tags or tags_of(metadata.pop("tags", None))
        prompt = parse_object(metadata.pop("langfusePrompt", None)) or {}
        version = whole_number(prompt.get("version"))
        if draft.prompt_name is None and prompt.get("name") and version is not None:
            draft.prompt_name, draft.prompt_version = str(prompt["name"]), version
        for key, value in metadata.items():
            draft.metadata.setdefault(key, metadata_text(value))


def _operation(attributes: Attributes) -> str:
    """The operation of the step; the first versions sent it only together with the name of the function."""
    if operation := attributes.pop("ai.operationId", None):
        return str(operation)
    old = str(attributes.get("operation.name", "")).partition(" ")[0]
    return old if old.startswith("ai.") else ""


def _map_input_output(attributes: Attributes, draft: Draft) -> None:
    inputs = [attributes.pop(key, None) for key in _INPUTS]
    text, calls = attributes.pop("ai.response.text", None), attributes.pop("ai.response.toolCalls", None)
    outputs = [attributes.pop(key, None) for key in _OUTPUTS]
    if text and calls:
        outputs.insert(0, {"role": "assistant", "content": text, "tool_calls": parse_or_keep(calls)})
    else:
        outputs.insert(0, text or calls)
    draft.offer_input(*(_plain(value) for value in inputs))
    draft.offer_output(*(_plain(value) for value in outputs))


def _plain(value: Any) -> Any:
    """Lists of JSON texts as lists of values."""
    return [parse_or_keep(item) for item in value] if isinstance(value, list) else value


def _map_model(span: Span, operation: str, draft: Draft) -> None:
    attributes = span.attributes
    models = [attributes.get("gen_ai.response.model"), attributes.pop("ai.response.model", None)]
    models += [attributes.pop("ai.model.id", None), attributes.get("gen_ai.request.model")]
    draft.model = draft.model or next((str(model) for model in models if model), None)
    draft.requested_model = draft.requested_model or next((str(model) for model in models[2:] if model), None)
    provider = attributes.get("ai.model.provider")
    draft.provider = draft.provider or (str(provider) if provider else None)
    if draft.model_parameters is None:
        parameters = {name: _first(attributes, keys) for name, keys in _PARAMETERS.items()}
        draft.model_parameters = {name: str(value) for name, value in parameters.items() if value is not None} or None
    if draft.usage is None:
        draft.usage = _usage(attributes) or None
    # A tool or a failed call is not billed; zeros keep its texts from being counted.
    if not draft.usage and (operation == "ai.toolCall" or span.status_code == 2):
        draft.usage = {"input": 0, "output": 0, "total": 0}


def _usage(attributes: Attributes) -> Usage:
    usage = {key[9:]: attributes.pop(key) for key in list(attributes) if key.startswith("ai.usage.")}
    if "tokens" in usage:  # of an embedding
        usage["inputTokens"] = usage.pop("tokens")
    common = {key: attributes.get(f"gen_ai.usage.{key}") for key in ("input_tokens", "prompt_tokens", "output_tokens")}
    provider = parse_object(_first(attributes, _PROVIDER)) or {}
    openai, anthropic = _object(provider, "openai"), _object(provider, "anthropic")
    own, bedrock = _object(anthropic, "usage"), _object(_object(provider, "bedrock"), "usage")
    google = _object(_object(provider, "google"), "usageMetadata")
    parts = ((openai, _OPENAI), (raw_details(own), None), (anthropic, _CACHE), (bedrock, _CACHE), (google, _GOOGLE))
    counts = _by_first([usage, common, *(_some(record, names) for record, names in parts)])
    counts |= {_PREDICTIONS[key]: openai[key] for key in _PREDICTIONS if key in openai}
    # Anthropic and Bedrock count tokens read from or written to the cache apart from the input; newer SDKs add them.
    input_units = next((whole_number(counts[name]) for name in counts if meaning_of(name) == INPUT), None)
    is_apart = bool(bedrock) or (input_units is not None and whole_number(own.get("input_tokens")) == input_units)
    return usage_from_counts(counts, is_apart=is_apart or None)


_PROVIDER: Final = ("ai.response.providerMetadata", "ai.result.providerMetadata")
_OPENAI: Final = ("cachedPromptTokens", "reasoningTokens")
_CACHE: Final = ("cacheReadInputTokens", "cacheCreationInputTokens", "cacheWriteInputTokens")
_GOOGLE: Final = ("cachedContentTokenCount",)
_PREDICTIONS: Final = {
    "acceptedPredictionTokens": "accepted_prediction_tokens",
    "rejectedPredictionTokens": "rejected_prediction_tokens",
}


def _by_first(sources: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The counts of all sources; of those that mean the same, the ones of the first source that has any."""
    counts: dict[str, Any] = {}
    counted: set[str | None] = set()
    for source in sources:
        by_meaning = {
            name: value
            for name, value in source.items()
            if whole_number(value) is not None and meaning_of(name) not in counted and "textTokens" not in name
        }
        counts |= by_meaning
        counted |= {meaning_of(name) for name in by_meaning} - {None}
    return counts


def _some(record: Mapping[str, Any], names: tuple[str, ...] | None) -> Mapping[str, Any]:
    return record if names is None else {name: record[name] for name in names if name in record}


def _first(attributes: Attributes, keys: tuple[str, ...]) -> Any:
    values = [attributes.get(key) if key.startswith("gen_ai.") else attributes.pop(key, None) for key in keys]
    return next((value for value in values if value is not None), None)


def _object(values: dict[str, Any], name: str) -> dict[str, Any]:
    value = values.get(name)
    return value if isinstance(value, dict) else {}
