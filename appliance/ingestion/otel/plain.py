"""Attributes without any prefix, as Pipecat and Logfire's integrations write them."""

from __future__ import annotations

from appliance.ingestion.otel.draft import Draft
from appliance.ingestion.otel.span import Span


class PlainMapper:
    """Reads `input`, `output` and `conversation.id`."""

    prefixes = frozenset({"input", "output", "conversation", "text", "transcript"})

    def map_span(self, span: Span, draft: Draft) -> None:
        """Fill in what is still open."""
        take = span.attributes.pop
        asked, made = take("input", None), take("output", None)
        if span.scope.name.startswith("pipecat"):  # what is spoken, and what was heard
            asked, made = asked or take("text", None), made or take("transcript", None)
        draft.input = asked if draft.input is None else draft.input
        draft.output = made if draft.output is None else draft.output
        if draft.conversation_id is None and (conversation := take("conversation.id", None)):
            draft.conversation_id = str(conversation)
