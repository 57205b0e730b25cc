"""Flue, whose steps are known by what they are about (contract: server semantics 4.3)."""

from __future__ import annotations

from appliance.ingestion.otel.draft import Draft
from appliance.ingestion.otel.span import Span


class FlueMapper:
    """Looks at `flue.*`, and leaves it where it is."""

    prefixes = frozenset({"flue"})

    def map_span(self, span: Span, draft: Draft) -> None:
        """Fill in what is still open."""
        attributes = span.attributes
        if attributes.get("flue.tool.name") or attributes.get("flue.tool.call_id"):
            draft.type = draft.type or "TOOL"
        elif attributes.get("flue.task.id") or attributes.get("flue.task.agent"):
            draft.type = draft.type or "AGENT"
