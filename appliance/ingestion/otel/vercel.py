"""Vercel's AI SDK, versions 4 to 6 (contract: server semantics 4.2 to 4.5, conventions notes 3)."""

from __future__ import annotations

import math
from typing import Any, Final

from appliance.ingestion.json_text import parse_object, parse_or_keep
from appliance.ingestion.otel.draft import Draft
from appliance.ingestion.otel.langfuse import tags_of
from appliance.ingestion.otel.metadata import metadata_text
from appliance.ingestion.otel.span import Attributes, Span
from appliance.ingestion.otel.token_usage import cache_lifetimes, raw_details
from appliance.model.times import clamp
from appliance.model.usage import whole_number

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

    prefixes = frozenset({"ai"})

    def map_span(self, span: Span, draft: Draft) -> None:
        """Fill in what is still open."""
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
        told = {key[len(_METADATA) :]: attributes.pop(key) for key in list(attributes) if key.startswith(_METADATA)}
        user, session = told.pop("userId", None), told.pop("sessionId", None)
        draft.user_id = draft.user_id or (str(user) if user else None)
        draft.session_id = draft.session_id or (str(session) if session else None)
        draft.tags = draft.tags or tags_of(told.pop("tags", None))
        prompt = parse_object(told.pop("langfusePrompt", None)) or {}
        version = whole_number(prompt.get("version"))
        if draft.prompt_name is None and prompt.get("name") and version is not None:
            draft.prompt_name, draft.prompt_version = str(prompt["name"]), version
        for key, value in told.items():
            draft.metadata.setdefault(key, metadata_text(value))


def _operation(attributes: Attributes) -> str:
    """What the step does; the first versions said it only together with the name of the function."""
    if operation := attributes.pop("ai.operationId", None):
        return str(operation)
    old = str(attributes.get("operation.name", "")).partition(" ")[0]
    return old if old.startswith("ai.") else ""


def _map_input_output(attributes: Attributes, draft: Draft) -> None:
    asked = [attributes.pop(key, None) for key in _INPUTS]
    text, calls = attributes.pop("ai.response.text", None), attributes.pop("ai.response.toolCalls", None)
    made = [attributes.pop(key, None) for key in _OUTPUTS]
    if text and calls:
        made.insert(0, {"role": "assistant", "content": text, "tool_calls": parse_or_keep(calls)})
    else:
        made.insert(0, text or calls)
    if draft.input is None:
        draft.input = next((_plain(value) for value in asked if value is not None), None)
    if draft.output is None:
        draft.output = next((_plain(value) for value in made if value is not None), None)


def _plain(value: Any) -> Any:
    """Lists of JSON texts as lists of values."""
    return [parse_or_keep(item) for item in value] if isinstance(value, list) else value


def _map_model(span: Span, operation: str, draft: Draft) -> None:
    attributes = span.attributes
    models = [attributes.get("gen_ai.response.model"), attributes.pop("ai.response.model", None)]
    models += [attributes.pop("ai.model.id", None), attributes.get("gen_ai.request.model")]
    draft.model = draft.model or next((str(model) for model in models if model), None)
    if draft.model_parameters is None:
        said = {name: _first(attributes, keys) for name, keys in _PARAMETERS.items()}
        draft.model_parameters = {name: str(value) for name, value in said.items() if value is not None} or None
    if draft.usage is None:
        draft.usage = _usage(attributes) or None
    if not draft.usage and (operation == "ai.toolCall" or span.status_code == 2):
        draft.usage = {"input": 0, "output": 0, "total": 0}


def _usage(attributes: Attributes) -> dict[str, int]:
    counts = {key[9:]: attributes.pop(key) for key in list(attributes) if key.startswith("ai.usage.")}
    provider = parse_object(_first(attributes, _PROVIDER)) or {}
    openai, anthropic = _object(provider, "openai"), _object(provider, "anthropic")
    own, bedrock = _object(anthropic, "usage"), _object(_object(provider, "bedrock"), "usage")
    google = _object(_object(provider, "google"), "usageMetadata")
    given = _number(counts, "inputTokens", "promptTokens", "tokens")
    given = _number(attributes, "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens") if given is None else given
    made = _number(counts, "outputTokens", "completionTokens")
    made = _number(attributes, "gen_ai.usage.output_tokens") if made is None else made
    read = _number(counts, "cachedInputTokens", "inputTokenDetails.cacheReadTokens")
    read = _number(openai, "cachedPromptTokens") if read is None else read
    reasoning = _number(counts, "reasoningTokens", "outputTokenDetails.reasoningTokens")
    reasoning = _number(openai, "reasoningTokens") if reasoning is None else reasoning
    parts = raw_details(own)
    read = parts.get("cache_read_tokens") if read is None else read
    read = _number(anthropic, "cacheReadInputTokens") if read is None else read
    read = _number(bedrock, "cacheReadInputTokens") if read is None else read
    read = _number(google, "cachedContentTokenCount") if read is None else read
    written = _number(counts, "inputTokenDetails.cacheWriteTokens") or parts.get("cache_write_tokens")
    written = written or _number(anthropic, "cacheCreationInputTokens") or _number(bedrock, "cacheWriteInputTokens")
    uncached = _number(counts, "inputTokenDetails.noCacheTokens")
    if uncached is None and given is not None:
        cached = (read or 0) + (written or 0)
        # The input of Anthropic and Bedrock leaves out what was read from or written to the cache.
        is_apart = _number(own, "input_tokens") == given or bool(bedrock) or cached > given
        uncached = given if is_apart else given - cached
    usage = {"input": uncached, "input_cached_tokens": read}
    usage |= {"output": _without(made, reasoning, given, counts), "output_reasoning_tokens": reasoning}
    sides = {key: units for key, units in usage.items() if units is not None}
    sides |= cache_lifetimes(parts, written) if written else {}
    if not sides:
        return {}
    guesses = {f"{name}_prediction_tokens": _number(openai, f"{name}PredictionTokens") for name in _GUESSES}
    total = _number(counts, "totalTokens") or sum(sides.values())
    return sides | {key: units for key, units in guesses.items() if units is not None} | {"total": total}


_GUESSES: Final = ("accepted", "rejected")


def _without(made: int | None, reasoning: int | None, given: int | None, counts: dict[str, Any]) -> int | None:
    """The output without its reasoning, which Google's total shows to be counted beside it."""
    if made is None or not reasoning:
        return made
    is_beside = _number(counts, "totalTokens") == (given or 0) + made + reasoning
    return made if is_beside else max(made - reasoning, 0)


_PROVIDER: Final = ("ai.response.providerMetadata", "ai.result.providerMetadata")


def _first(attributes: Attributes, keys: tuple[str, ...]) -> Any:
    found = [attributes.get(key) if key.startswith("gen_ai.") else attributes.pop(key, None) for key in keys]
    return next((value for value in found if value is not None), None)


def _number(counts: dict[str, Any], *names: str) -> int | None:
    return next((units for name in names if (units := whole_number(counts.get(name))) is not None), None)


def _object(values: dict[str, Any], name: str) -> dict[str, Any]:
    found = values.get(name)
    return found if isinstance(found, dict) else {}
