"""Flue, whose attributes show the type of a step (contract: server semantics 4.3)."""

from __future__ import annotations

from appliance.ingestion.otel.draft import Draft
from appliance.ingestion.otel.span import Span


class FlueMapper:
    """Reads the type from `flue.*`; the attributes stay and become metadata."""

    prefixes = frozenset({"flue"})

    def map_span(self, span: Span, draft: Draft) -> None:
        """Fill in what is still open."""
        attributes = span.attributes
        if attributes.get("flue.tool.name") or attributes.get("flue.tool.call_id"):
            draft.type = draft.type or "TOOL"
        elif attributes.get("flue.task.id") or attributes.get("flue.task.agent"):
            draft.type = draft.type or "AGENT"
