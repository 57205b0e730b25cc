"""Genkit (contract: server semantics 4.2 to 4.5)."""

from __future__ import annotations

from typing import Any, Final

from appliance.ingestion.json_text import parse_object, to_text
from appliance.ingestion.otel.draft import Draft
from appliance.ingestion.otel.metadata import take_known
from appliance.ingestion.otel.span import Attributes, Span
from appliance.ingestion.token_usage import usage_from_counts

_TYPES: Final = {
    "model": "GENERATION",
    "background-model": "GENERATION",
    "embedder": "EMBEDDING",
    "tool": "TOOL",
    "tool.v2": "TOOL",
    "retriever": "RETRIEVER",
    "reranker": "RETRIEVER",
    "evaluator": "EVALUATOR",
}
_COUNTS: Final = {
    "inputTokens": "input_tokens",
    "outputTokens": "output_tokens",
    "totalTokens": "total_tokens",
    "thoughtsTokens": "output_reasoning_tokens",
    "cachedContentTokens": "cached_tokens",
}


class GenkitMapper:
    """Reads `genkit:*`."""

    prefixes = frozenset({"genkit:name", "genkit:type", "genkit:input"})

    def map_span(self, span: Span, draft: Draft) -> None:
        """Fill in what is still open; only the step that calls a model has its usage."""
        take = span.attributes.pop
        name, kind = str(take("genkit:name", "")), take_known(span.attributes, "genkit:metadata:subtype", _TYPES)
        draft.type = draft.type or kind or "SPAN"
        draft.name = draft.name or name or None
        span_input, span_output = take("genkit:input", None), take("genkit:output", None)
        is_model = kind == "GENERATION"
        draft.offer_input(_inner(span_input, "messages", is_model))
        draft.offer_output(_inner(span_output, "message", is_model))
        session = take("genkit:sessionId", None)
        draft.session_id = draft.session_id or (str(session) if session else None)
        if not is_model:
            return
        _keep_rest(span.attributes, "genkit:input", span_input, ("messages", "config"))
        _keep_rest(span.attributes, "genkit:output", span_output, ("message", "usage"))
        draft.model = draft.model or name.rpartition("/")[2] or None
        config, usage = _object(span_input, "config"), _object(span_output, "usage")
        draft.model_parameters = draft.model_parameters or config or None
        draft.usage = draft.usage or _usage(usage) or None


def _usage(record: dict[str, Any]) -> dict[str, Any]:
    """Usage details of a model call; Genkit has a name of its own for reasoning tokens."""
    counts = {bare: record[key] for key, bare in _COUNTS.items() if record.get(key) is not None}
    usage = usage_from_counts(counts)
    return {key.replace("output_reasoning_tokens", "output_reasoning"): units for key, units in usage.items()}


def _keep_rest(attributes: Attributes, name: str, value: Any, read: tuple[str, ...]) -> None:
    """Put back the parts of a call that the draft does not hold, such as its tools."""
    for key, rest in (parse_object(value) or {}).items():
        if key not in read and rest not in (None, [], {}):
            attributes[f"{name}.{key}"] = to_text(rest)


def _inner(value: Any, key: str, is_model: bool) -> Any:
    parsed = parse_object(value) if is_model and value is not None else None
    return value if parsed is None else parsed.get(key) or value


def _object(value: Any, key: str) -> dict[str, Any]:
    inner = (parse_object(value) or {}).get(key)
    return inner if isinstance(inner, dict) else {}
