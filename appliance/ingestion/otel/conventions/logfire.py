"""Logfire, and Pydantic AI which is made for it (contract: server semantics 4.2 and 4.5, conventions notes 4 and 8)."""

from __future__ import annotations

from typing import Any, Final

from appliance.ingestion.json_text import parse_object, parse_or_keep
from appliance.ingestion.otel.draft import Draft
from appliance.ingestion.otel.span import Attributes, Span
from appliance.ingestion.token_usage import raw_details, usage_from_counts

_INPUTS: Final = ("tool_arguments", "prompt")
_OUTPUTS: Final = ("final_result", "tool_response")
_HISTORY: Final = ("pydantic_ai.all_messages", "all_messages_events")


class LogfireMapper:
    """Reads `logfire.msg`, lists of messages in `events` or `all_messages`, and arguments and results of tools."""

    prefixes = frozenset(
        {"logfire", "pydantic_ai", "all_messages_events", "events", "final_result", "tool_arguments", "tool_response"}
    )

    def map_span(self, span: Span, draft: Draft) -> None:
        """Fill in what is still open."""
        take = span.attributes.pop
        # A tool is named by its own name, other steps by Logfire's message.
        tool = span.attributes.get("gen_ai.tool.name")
        if draft.name is None and (name := tool or take("logfire.msg", None)):
            draft.name = str(name)
        if span.attributes.get("logfire.msg_template") == "Function: {name}":
            draft.type = draft.type or "TOOL"
        event_input, event_output = _split_events(span.attributes.get("events"))
        if event_input or event_output:
            del span.attributes["events"]
        messages = [take(key, None) or None for key in (*_HISTORY, *_INPUTS)]
        draft.offer_input(event_input, *messages)
        draft.offer_output(event_output, *(take(key, None) for key in _OUTPUTS))
        _map_request(span.attributes, draft)
        if draft.session_id is None and (group := take("group_id", None)):
            draft.session_id = str(group)


def _map_request(attributes: Attributes, draft: Draft) -> None:
    """Read the provider's request and response, which older versions sent instead of the common attributes."""
    request = parse_object(attributes.get("request_data")) or {}
    response = parse_object(attributes.get("response_data")) or {}
    if draft.input is None:
        draft.input = next((request[key] for key in _REQUEST_INPUTS if request.get(key)), None)
    if draft.output is None:
        draft.output = next((response[key] for key in _RESPONSE_OUTPUTS if response.get(key)), None)
    has_counts = any(key.startswith("gen_ai.usage.") for key in attributes)
    if draft.usage is None and not has_counts and isinstance(usage := response.get("usage"), dict):
        draft.usage = usage_from_counts({**usage, **raw_details(usage)})
    if draft.model is None and "gen_ai.request.model" not in attributes and isinstance(request.get("model"), str):
        draft.model = request["model"] if response or draft.input else None


_REQUEST_INPUTS: Final = ("messages", "input", "prompt")
_RESPONSE_OUTPUTS: Final = ("message", "combined_chunk_content", "text", "output")


def _split_events(value: Any) -> tuple[Any, Any]:
    """Input and output of a call from one list of both: outputs follow the last message sent to the model."""
    events = parse_or_keep(value)
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        return None, None
    outputs = [event for event in events if event.get("event.name") == "gen_ai.choice"]
    if outputs:
        inputs = [event for event in events if event.get("event.name") != "gen_ai.choice"]
        return inputs or None, outputs[0] if len(outputs) == 1 else outputs
    end = len(events)
    while end and events[end - 1].get("role") == "assistant":
        end -= 1
    return events[:end] or None, events[end:] or None
