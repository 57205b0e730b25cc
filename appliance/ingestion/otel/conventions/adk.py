"""Google's Agent Development Kit, versions 1 and 2 (contract: server semantics 4.5, conventions notes 2)."""

from __future__ import annotations

from typing import Any, Final

from appliance.ingestion.otel.draft import Draft
from appliance.ingestion.otel.span import Span

_KEY: Final = "gcp.vertex.agent."


class AdkMapper:
    """Reads `gcp.vertex.agent.*`; session and user may stand on any span of a trace."""

    prefixes = frozenset({"gcp"})

    def map_span(self, span: Span, draft: Draft) -> None:
        """Fill in what is still open."""
        attributes = span.attributes
        fields = {key[len(_KEY) :]: attributes.pop(key) for key in list(attributes) if key.startswith(_KEY)}
        inputs = _value_or_none(fields.pop("tool_call_args", None)), _value_or_none(fields.pop("llm_request", None))
        outputs = _value_or_none(fields.pop("tool_response", None)), _value_or_none(fields.pop("llm_response", None))
        draft.offer_input(*inputs)
        draft.offer_output(*outputs)
        session = fields.pop("session_id", None)
        draft.session_id = draft.session_id or (str(session) if session else None)
        if attributes.get("gen_ai.operation.name") == "generate_content" and "gen_ai.system" in attributes:
            # Version 1 reports each call twice: this step is within another one that has the content too.
            draft.is_aggregate, draft.type = True, draft.type or "SPAN"
        attributes |= {_KEY + key: value for key, value in fields.items()}


def _value_or_none(value: Any) -> Any:
    # The ADK writes "{}" where it was told not to record content.
    return None if value in ("", "{}", None) else value
