"""OpenTelemetry's semantic conventions for generative AI, present and past (contract: server semantics 4.2 to 4.5)."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from appliance.ingestion.json_text import parse_or_keep
from appliance.ingestion.otel.draft import Draft
from appliance.ingestion.otel.metadata import take_text
from appliance.ingestion.otel.span import Attributes, Span, SpanEvent
from appliance.ingestion.otel.unflatten import unflatten
from appliance.ingestion.token_usage import raw_details, take_counts, usage_from_counts

_TYPES: Final = {
    "chat": "GENERATION",
    "completion": "GENERATION",
    "text_completion": "GENERATION",
    "generate_content": "GENERATION",
    "generate": "GENERATION",
    "generate_text": "GENERATION",
    "stream_text": "GENERATION",
    "generate_object": "GENERATION",
    "stream_object": "GENERATION",
    "embeddings": "EMBEDDING",
    "embedding": "EMBEDDING",
    "image": "GENERATION",
    "image_generation": "GENERATION",
    "invoke_agent": "AGENT",
    "create_agent": "AGENT",
    "execute_tool": "TOOL",
    "chain": "CHAIN",
    "invoke_workflow": "CHAIN",
    "retrieval": "RETRIEVER",
    "rerank": "RETRIEVER",
}
_AGGREGATES: Final = frozenset({"invoke_agent", "agent_step"})
"""Operations whose usage repeats that of their children."""
_MODELS: Final = ("gen_ai.response.model", "gen_ai.request.model")
_REQUEST: Final = "gen_ai.request."
_USAGE: Final = "gen_ai.usage."
_SERVICE_TIERS: Final = (
    "gen_ai.openai.response.service_tier",
    "openai.response.service_tier",
    "gen_ai.openai.request.service_tier",
    "openai.request.service_tier",
)
"""Processing tiers, which differ in price; the response's comes first."""
_WITHOUT_CACHE: Final = ("opentelemetry.instrumentation.bedrock", "ruby_llm", "RubyLLM", "opentelemetry-ruby_llm")
"""Scopes of libraries whose input leaves out what was read from or written to the cache."""
_ROLES: Final = ("system", "developer", "user", "assistant", "tool")
_DETAILS: Final = "gen_ai.client.inference.operation.details"
MESSAGE_EVENTS: Final = frozenset(
    {"gen_ai.choice", "gen_ai.content.prompt", "gen_ai.content.completion", _DETAILS}
    | {f"gen_ai.{role}.message" for role in _ROLES}
)
"""Events that hold nothing but input and output."""


class GenAiMapper:
    """Reads `gen_ai.*` attributes and events."""

    prefixes = frozenset({"gen_ai", "openai"})

    def map_span(self, span: Span, draft: Draft) -> None:
        """Fill in what is still open."""
        attributes = span.attributes
        take = attributes.pop
        _take_details(span)
        operation = str(attributes.get("gen_ai.operation.name") or _sentry_operation(attributes)).lower()
        if operation in _TYPES:  # an unknown operation stays among the attributes
            take("gen_ai.operation.name", None)
        tool = attributes.get("gen_ai.tool.name")
        is_tool = bool(tool or attributes.get("gen_ai.tool.call.id"))
        draft.type = draft.type or _TYPES.get(operation) or ("TOOL" if is_tool else None)
        draft.name = draft.name or (str(tool) if tool else None)
        if draft.name == tool:
            take("gen_ai.tool.name", None)
        draft.is_aggregate = draft.is_aggregate or operation in _AGGREGATES
        draft.conversation_id = draft.conversation_id or take_text(attributes, ("gen_ai.conversation.id",))
        self._map_input_output(span, draft)
        self._map_model(span, draft)

    def _map_model(self, span: Span, draft: Draft) -> None:
        attributes = span.attributes
        requested = attributes.get("gen_ai.request.model")
        draft.requested_model = draft.requested_model or (str(requested) if requested else None)
        draft.model = draft.model or take_text(attributes, _MODELS)
        for key in _MODELS:
            if attributes.get(key) == draft.model:
                attributes.pop(key, None)
        parameters = {key[len(_REQUEST) :]: attributes.pop(key) for key in list(attributes) if key.startswith(_REQUEST)}
        if (requested_model := parameters.pop("model", None)) is not None:  # another model than the one that answered
            attributes["gen_ai.request.model"] = requested_model
        if (tools := parameters.pop("available_tools", None)) is not None:  # of Sentry's SDKs; no parameter
            attributes["gen_ai.request.available_tools"] = tools
        tier = next((attributes[key] for key in _SERVICE_TIERS if attributes.get(key)), None)
        if tier is not None:  # the response's tier, which decides the price, before the requested one
            parameters["service_tier"] = tier
        if parameters and draft.model_parameters is None:
            draft.model_parameters = parameters
        details = raw_details(attributes.pop(f"{_USAGE}raw", None))
        counts = details | take_counts(attributes, _USAGE)
        if counts and draft.usage is None:
            is_apart = span.scope.name.startswith(_WITHOUT_CACHE)
            draft.usage = usage_from_counts(counts, is_apart=is_apart or None)

    def _map_input_output(self, span: Span, draft: Draft) -> None:
        systems, inputs, outputs = [], [], []
        for attributes in _sources(span):
            sentrys = _sentry_texts(attributes)
            inputs += _messages(attributes, "gen_ai.input.messages", "gen_ai.prompt", "gen_ai.tool.call.arguments")
            outputs += _messages(attributes, "gen_ai.output.messages", "gen_ai.completion", "gen_ai.tool.call.result")
            inputs.append(sentrys[0])
            outputs.append(sentrys[1])
            systems.append(attributes.pop("gen_ai.system_instructions", None))
        first_input, others = _joined(inputs)
        system, _ = _joined(systems)
        if system is not None:
            if first_input is None and isinstance(parse_or_keep(draft.input), list):
                draft.input = _with_system(system, draft.input)
            else:
                first_input = _with_system(system, first_input)
        draft.offer_input(first_input, *others)
        first_output, others = _joined(outputs)
        draft.offer_output(first_output, *others)
        event_input, event_output = _from_events(span)
        draft.offer_input(event_input or None)
        draft.offer_output(event_output or None)


def _take_details(span: Span) -> None:
    """Copy attributes other than messages from the operation's detail events to the span, unless it has them."""
    for event in span.events:
        if event.name == _DETAILS:
            for key in [key for key in event.attributes if not key.startswith(_MESSAGES)]:
                span.attributes.setdefault(key, event.attributes.pop(key))


_MESSAGES: Final = (
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.prompt",
    "gen_ai.completion",
    "gen_ai.tool.call.",
)


def _sentry_operation(attributes: Attributes) -> str:
    """The operation from the `sentry.op` of Sentry's SDKs, such as `gen_ai.chat`."""
    operation = str(attributes.get("sentry.op", ""))
    return operation.removeprefix("gen_ai.") if operation.startswith("gen_ai.") else ""


def _sentry_texts(attributes: Attributes) -> tuple[Any, Any]:
    """Input and output under the names that Sentry's SDKs give them."""
    inputs = [attributes.pop(key, None) for key in _SENTRY_INPUTS]
    text, calls = attributes.pop("gen_ai.response.text", None), attributes.pop("gen_ai.response.tool_calls", None)
    output = text or calls or attributes.pop("gen_ai.tool.output", None)
    if text and calls:
        output = {"role": "assistant", "content": parse_or_keep(text), "tool_calls": parse_or_keep(calls)}
    return next((value for value in inputs if value is not None), None), output


_SENTRY_INPUTS: Final = ("gen_ai.request.messages", "gen_ai.tool.input", "gen_ai.embeddings.input")


def _sources(span: Span) -> list[Attributes]:
    """The attributes that may hold messages: those of the span and of its events with the operation's details."""
    return [span.attributes, *(event.attributes for event in span.events if event.name == _DETAILS)]


def _messages(attributes: Attributes, whole: str, old: str, tool: str) -> list[Any]:
    """The messages by their present name, then by the old ones: one text, or one attribute per message and field."""
    values = [attributes.pop(key, None) for key in (whole, old, tool)]
    prefix = f"{old}."
    flat = {key[len(prefix) :]: attributes.pop(key) for key in list(attributes) if key.startswith(prefix)}
    return [values[0], unflatten(flat) if flat else None, values[1], values[2]]


def _joined(values: list[Any]) -> tuple[Any, list[Any]]:
    """The first value with the messages that further ones add to it, and those values that are no lists of messages."""
    first, *rest = [value for value in values if value not in (None, "")] or [None]
    more = [value for value in rest if value != first]
    if not more or not isinstance(messages := parse_or_keep(first), list):
        return first, more
    joined, others = list(messages), []
    seen = {_sorted_json(message) for message in messages}
    for value in more:
        if isinstance(parsed := parse_or_keep(value), list):
            fresh = [(text, message) for message in parsed if (text := _sorted_json(message)) not in seen]
            joined += [message for _, message in fresh]
            seen.update(text for text, _ in fresh)
        else:
            others.append(value)
    return first if len(joined) == len(messages) else joined, others


def _sorted_json(message: Any) -> bytes:
    """JSON with sorted keys, so that equal messages have equal bytes."""
    return msgspec.json.encode(message, order="deterministic")


def _with_system(system: Any, messages: Any) -> Any:
    """The messages with the system's instructions before them, unless they have a system message of their own."""
    listed = parse_or_keep(messages)
    if not isinstance(listed, list):
        message = listed if isinstance(listed, dict) else {"role": "user", "content": messages}
        listed = [] if messages is None else [message]
    elif any(isinstance(m, dict) and m.get("role") == "system" for m in listed):
        return messages
    parts = parse_or_keep(system)
    first = {"role": "system", "parts": parts} if isinstance(parts, list) else {"role": "system", "content": parts}
    return [first, *listed]


def _from_events(span: Span) -> tuple[Any, Any]:
    """Input and output from one event per message, or from one event for each side."""
    inputs: list[Any] = []
    choices: list[Any] = []
    for event in span.events:
        if event.name == "gen_ai.choice":
            choices.append(_fields(event))
        elif event.name == "gen_ai.content.prompt":
            return event.attributes.get("gen_ai.prompt") or _fields(event) or None, _content_completion(span)
        elif event.name.startswith("gen_ai.") and event.name.endswith(".message"):
            role = event.name.removeprefix("gen_ai.").removesuffix(".message")
            if role in _ROLES:
                inputs.append({"role": role} | _fields(event))
    return inputs, choices[0] if len(choices) == 1 else choices or _content_completion(span)


def _fields(event: SpanEvent) -> dict[str, Any]:
    """The fields of an event's message; Azure's clients and Semantic Kernel put all of them into one attribute."""
    fields = {key: parse_or_keep(value) for key, value in event.attributes.items() if key != _CONTENT}
    content = parse_or_keep(event.attributes.get(_CONTENT))
    if isinstance(content, dict):
        return fields | content
    return fields if content is None else {**fields, "content": content}


_CONTENT: Final = "gen_ai.event.content"


def _content_completion(span: Span) -> Any:
    completions = (event for event in span.events if event.name == "gen_ai.content.completion")
    return next((event.attributes.get("gen_ai.completion") or _fields(event) or None for event in completions), None)
