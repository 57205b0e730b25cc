"""OpenInference, the convention of Arize Phoenix (contract: server semantics 4.2 to 4.5)."""

from __future__ import annotations

import re
from typing import Any, Final

from appliance.ingestion.json_text import parse_object
from appliance.ingestion.otel.conventions.langfuse import tags_of
from appliance.ingestion.otel.draft import Draft
from appliance.ingestion.otel.metadata import metadata_of
from appliance.ingestion.otel.span import Attributes, Span
from appliance.ingestion.otel.unflatten import unflatten
from appliance.ingestion.token_usage import take_counts, usage_from_counts

_TYPES: Final = {
    "LLM": "GENERATION",
    "PROMPT": "SPAN",
    "CHAIN": "CHAIN",
    "RETRIEVER": "RETRIEVER",
    "RERANKER": "RETRIEVER",
    "EMBEDDING": "EMBEDDING",
    "AGENT": "AGENT",
    "TOOL": "TOOL",
    "GUARDRAIL": "GUARDRAIL",
    "EVALUATOR": "EVALUATOR",
}
_COUNTS: Final = "llm.token_count."


class OpenInferenceMapper:
    """Reads `openinference.*`, `llm.*`, `input.value`, `output.value`, `metadata` and `tag.tags`."""

    prefixes = frozenset(
        {"openinference", "llm", "input", "output", "metadata", "tag", "embedding", "reranker", "retrieval", "tool"}
    )

    def map_span(self, span: Span, draft: Draft) -> None:
        """Fill in what is still open."""
        attributes = span.attributes
        take = attributes.pop
        kind = _TYPES.get(str(attributes.get("openinference.span.kind", "")).upper())
        if kind:
            del attributes["openinference.span.kind"]
        draft.type = draft.type or kind
        # The usage belongs to the calls below agents and chains; agents repeat its sum.
        draft.is_aggregate = draft.is_aggregate or kind in ("AGENT", "CHAIN")
        if kind == "TOOL" and (tool := take("tool.name", None)):
            draft.name = draft.name or str(tool)
        _map_input_output(attributes, draft)
        _map_parts(attributes, draft, kind)
        models = take("llm.response.model", None), take("llm.model_name", None), take("embedding.model_name", None)
        draft.model = draft.model or next((str(model) for model in models if model), None)
        draft.requested_model = draft.requested_model or (str(models[1]) if models[1] else None)
        if parameters := parse_object(attributes.get("llm.invocation_parameters")):
            del attributes["llm.invocation_parameters"]
            draft.model_parameters = draft.model_parameters or parameters
            if kind == "GENERATION" and draft.model is None and parameters.get("model"):
                # A failed call names its model nowhere else.
                draft.model = str(parameters["model"])
        if counts := take_counts(attributes, _COUNTS):
            draft.usage = draft.usage or usage_from_counts(counts)
        draft.tags = draft.tags or tags_of(take("tag.tags", None))
        if kind and (metadata := take("metadata", None)):
            draft.metadata = metadata_of(metadata) | draft.metadata


def _map_input_output(attributes: Attributes, draft: Draft) -> None:
    take = attributes.pop
    for side in ("input", "output"):
        value, mime = take(f"{side}.value", None), take(f"{side}.mime_type", None)
        messages = _messages(attributes, f"llm.{side}_messages.")
        # A plain text output leaves out tool calls, so the messages come first.
        is_text = value is None or (mime != "application/json" and _calls_tools(messages))
        values = (messages, value) if is_text else (value, messages)
        (draft.offer_input if side == "input" else draft.offer_output)(*values)


def _map_parts(attributes: Attributes, draft: Draft, kind: str | None) -> None:
    """Fill in input and output from choices, texts to embed and arguments of a tool."""
    choices = {key[len(_CHOICES) :]: attributes.pop(key) for key in list(attributes) if key.startswith(_CHOICES)}
    if choices:
        draft.offer_output(unflatten({key.replace(".completion.", ".", 1): value for key, value in choices.items()}))
    if draft.input is not None:
        return
    if kind == "EMBEDDING":
        texts = [attributes[key] for key in attributes if key.endswith(".embedding.text")]
        draft.input = texts[0] if len(texts) == 1 else texts or None
    elif kind == "TOOL":
        draft.input = attributes.pop("tool.parameters", None)


_CHOICES: Final = "llm.choices."


def _calls_tools(messages: Any) -> bool:
    return isinstance(messages, list) and any(isinstance(one, dict) and one.get("tool_calls") for one in messages)


def _messages(attributes: Attributes, prefix: str) -> Any:
    fields = {key[len(prefix) :]: attributes.pop(key) for key in list(attributes) if key.startswith(prefix)}
    if not fields:
        return None
    # Messages, tool calls and contents are each wrapped in an object that repeats their kind.
    flat = {
        re.sub(r"(^|\.)(\d+)\.(?:message|tool_call|message_content)\.", r"\1\2.", key): fields[key] for key in fields
    }
    return unflatten(flat)
