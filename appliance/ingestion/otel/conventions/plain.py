"""Attributes without any prefix, as Pipecat, Logfire's integrations and programs without a convention write them."""

from __future__ import annotations

from typing import Final

from appliance.ingestion.enrich import COUNTED_TYPES
from appliance.ingestion.json_text import parse_object
from appliance.ingestion.otel.draft import Draft
from appliance.ingestion.otel.span import Attributes, Span
from appliance.ingestion.token_usage import normalise_usage, usage_from_counts
from appliance.model.usage import Usage

_COUNTS: Final = ("input_tokens", "output_tokens", "prompt_tokens", "completion_tokens", "total_tokens")
_INPUTS: Final = ("trace_input", "user_message")
_OUTPUTS: Final = ("trace_output",)
_OBJECTS: Final = ("usage", "token_usage", "usage_metadata")


class PlainMapper:
    """Reads `input`, `output`, `conversation.id`, goose's `user_message`, and token counts without a prefix."""

    prefixes = frozenset(
        {"input", "output", "conversation", "text", "transcript", *_INPUTS, *_OUTPUTS, *_COUNTS, *_OBJECTS}
    )

    def map_span(self, span: Span, draft: Draft) -> None:
        """Fill in what is still open."""
        take = span.attributes.pop
        own_input, own_output = take("input", None), take("output", None)
        if span.scope.name.startswith("pipecat"):  # text to speech has the text, speech to text the transcript
            own_input, own_output = own_input or take("text", None), own_output or take("transcript", None)
        trace_input, trace_output = take("trace_input", None), take("trace_output", None)
        draft.trace_input = trace_input if draft.trace_input is None else draft.trace_input
        draft.trace_output = trace_output if draft.trace_output is None else draft.trace_output
        draft.offer_input(own_input, trace_input, take("user_message", None))
        draft.offer_output(own_output, trace_output)
        if draft.conversation_id is None and (conversation := take("conversation.id", None)):
            draft.conversation_id = str(conversation)
        names_model = draft.type is None and (draft.model or "model" in span.attributes)
        is_call = draft.type in COUNTED_TYPES or names_model
        if is_call and draft.usage is None:
            draft.usage = _usage(span.attributes)


def _usage(attributes: Attributes) -> Usage | None:
    """Usage from single counts, or from the provider's usage object."""
    for key in _OBJECTS:
        if (record := parse_object(attributes.get(key))) and (usage := normalise_usage(record)):
            del attributes[key]
            return usage
    counts = {key: attributes.pop(key) for key in list(attributes) if key.lower().endswith("tokens") and "." not in key}
    return usage_from_counts(counts) or None
