"""Mastra's own exporter, which keeps content and usage of a call on different steps."""

from __future__ import annotations

from typing import Final

from appliance.ingestion.otel.conventions.langfuse import tags_of
from appliance.ingestion.otel.draft import Draft
from appliance.ingestion.otel.metadata import metadata_text, take_known, take_text
from appliance.ingestion.otel.span import Span

_TYPES: Final = {
    "agent_run": "AGENT",
    "tool_call": "TOOL",
    "mcp_tool_call": "TOOL",
    "workflow_run": "CHAIN",
    "model_step": "SPAN",
    "model_chunk": "SPAN",
}
_METADATA: Final = "mastra.metadata."


class MastraMapper:
    """Reads `mastra.*`."""

    prefixes = frozenset({"mastra"})

    def map_span(self, span: Span, draft: Draft) -> None:
        """Fill in what is still open."""
        attributes = span.attributes
        kind = str(attributes.get("mastra.span.type", ""))
        draft.type = draft.type or take_known(attributes, "mastra.span.type", _TYPES)
        draft.offer_input(attributes.pop(f"mastra.{kind}.input", None))
        draft.offer_output(attributes.pop(f"mastra.{kind}.output", None))
        draft.tags = draft.tags or tags_of(attributes.pop("mastra.tags", None))
        metadata = {key[len(_METADATA) :]: attributes.pop(key) for key in list(attributes) if key.startswith(_METADATA)}
        draft.session_id = draft.session_id or take_text(metadata, ("sessionId", "threadId"))
        draft.user_id = draft.user_id or take_text(metadata, ("userId",))
        for key, value in metadata.items():
            draft.metadata.setdefault(key, metadata_text(value))
