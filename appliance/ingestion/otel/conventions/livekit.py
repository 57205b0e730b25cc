"""LiveKit Agents (contract: server semantics 4.2 to 4.5)."""

from __future__ import annotations

from typing import Any, Final

from appliance.ingestion.otel.draft import Draft
from appliance.ingestion.otel.span import Attributes, Span

SCOPE: Final = "livekit-agents"

_TYPES: Final = {
    "agent_turn": "AGENT",
    "start_agent_activity": "AGENT",
    "function_tool": "TOOL",
    "llm_node": "SPAN",
    "llm_request_run": "SPAN",
    "tts_node": "SPAN",
    "tts_request_run": "SPAN",
}
"""Some spans name a model without calling it: the call is a child span of its own."""
_HOUSEKEEPING: Final = frozenset(
    {"setup_toolsets", "on_enter", "on_exit", "drain_agent_activity", "session_start", "session_close"}
)
_INPUTS: Final = ("input_text", "user_input", "user_transcript", "chat_ctx", "function_tool.arguments")
_OUTPUTS: Final = ("function_tool.output", "response.text", "response.function_calls")


class LiveKitMapper:
    """Reads `lk.*`, also below `lk.pii.`, and takes the type from the span's name."""

    prefixes = frozenset({SCOPE})

    def map_span(self, span: Span, draft: Draft) -> None:
        """Fill in what is still open."""
        if span.scope.name != SCOPE:
            return
        draft.type = draft.type or _TYPES.get(span.name)
        if span.name in _HOUSEKEEPING:
            draft.level = draft.level or "DEBUG"
        draft.offer_input(*_take(span.attributes, _INPUTS))
        draft.offer_output(*_take(span.attributes, _OUTPUTS))


def _take(attributes: Attributes, names: tuple[str, ...]) -> list[Any]:
    values = [attributes.pop(f"{prefix}{name}", None) for name in names for prefix in ("lk.", "lk.pii.")]
    return [value for value in values if value not in (None, "", "[]")]
