"""LangSmith's exporter, with the steps of LangChain and LangGraph (conventions notes 6 and 10)."""

from __future__ import annotations

from typing import Final

from appliance.ingestion.otel.conventions.langfuse import tags_of
from appliance.ingestion.otel.draft import Draft
from appliance.ingestion.otel.metadata import metadata_text, take_known, take_text
from appliance.ingestion.otel.span import Span
from appliance.ingestion.token_usage import raw_details

_TYPES: Final = {
    "llm": "GENERATION",
    "chain": "CHAIN",
    "tool": "TOOL",
    "retriever": "RETRIEVER",
    "embedding": "EMBEDDING",
    "prompt": "SPAN",
    "parser": "SPAN",
}
_METADATA: Final = "langsmith.metadata."
_SESSIONS: Final = ("session_id", "conversation_id", "thread_id")
_USERS: Final = ("user_id", "langfuse_user_id")
_OWN_TAGS: Final = ("seq:step:", "graph:step:", "map:key:")
"""How LangChain numbers its steps by tags, which nobody set."""


class LangSmithMapper:
    """Reads `langsmith.*`."""

    prefixes = frozenset({"langsmith"})

    def map_span(self, span: Span, draft: Draft) -> None:
        """Fill in what is still open."""
        attributes = span.attributes
        draft.type = draft.type or take_known(attributes, "langsmith.span.kind", _TYPES, chosen=draft.type)
        tags = tags_of(attributes.pop("langsmith.span.tags", None)) or ()
        draft.tags = draft.tags or [tag for tag in tags if not tag.startswith(_OWN_TAGS)] or None
        metadata = {key[len(_METADATA) :]: attributes.pop(key) for key in list(attributes) if key.startswith(_METADATA)}
        draft.session_id = draft.session_id or take_text(metadata, _SESSIONS)
        draft.user_id = draft.user_id or take_text(metadata, _USERS)
        for key, units in raw_details(metadata.pop("usage_metadata", None)).items():
            attributes.setdefault(f"gen_ai.usage.{key}", units)
        for key, value in metadata.items():
            draft.metadata.setdefault(key, metadata_text(value))
