"""Spring AI, whose observations are Micrometer's: all values are texts (docs.spring.io, Spring AI's observability)."""

from __future__ import annotations

from typing import Final

from appliance.ingestion.otel.draft import Draft
from appliance.ingestion.otel.metadata import take_known, take_text
from appliance.ingestion.otel.span import Span

_TYPES: Final = {"chat_client": "CHAIN", "advisor": "CHAIN", "tool_call": "TOOL", "vector_store": "RETRIEVER"}
_QUERY: Final = "db.vector.query.content"
_DOCUMENTS: Final = "db.vector.query.response.documents"
_ARGUMENTS: Final = ("spring.ai.tool.call.arguments", "spring.ai.chat.client.user.text")
_RESULTS: Final = ("spring.ai.tool.call.result",)


class SpringAiMapper:
    """Reads `spring.ai.*` and `db.vector.query.*`."""

    prefixes = frozenset({"spring", "db"})

    def map_span(self, span: Span, draft: Draft) -> None:
        """Fill in what is still open."""
        attributes = span.attributes
        # Writes to a vector store are no retrieval.
        is_write = str(attributes.get("db.operation.name", "")).lower() in ("add", "delete")
        types = {key: word for key, word in _TYPES.items() if key != "vector_store"} if is_write else _TYPES
        draft.type = draft.type or take_known(attributes, "spring.ai.kind", types)
        if _QUERY in attributes or _DOCUMENTS in attributes:
            draft.type = draft.type or "RETRIEVER"
            draft.offer_input(attributes.pop(_QUERY, None))
            draft.offer_output(attributes.pop(_DOCUMENTS, None))
        draft.name = draft.name or take_text(attributes, ("spring.ai.tool.definition.name",))
        draft.offer_input(take_text(attributes, _ARGUMENTS))
        draft.offer_output(take_text(attributes, _RESULTS))
