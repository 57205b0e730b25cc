"""Claude Code's own traces, whose attributes have no prefix."""

from __future__ import annotations

from typing import Final

from appliance.ingestion.otel.draft import Draft
from appliance.ingestion.otel.metadata import take_text
from appliance.ingestion.otel.span import Attributes, Span
from appliance.ingestion.token_usage import usage_from_counts

_SCOPE: Final = "com.anthropic.claude_code"
_NAME: Final = "claude_code."
_TYPES: Final = {"interaction": "AGENT", "llm_request": "GENERATION", "tool": "TOOL"}
_COUNTS: Final = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_creation_tokens")
_ARGUMENTS: Final = ("tool_input", "tool_parameters", "full_command", "file_path")


class ClaudeCodeMapper:
    """Reads `span.type`, `user_prompt`, `tool_name` and token counts of spans that Claude Code makes."""

    prefixes = frozenset({"com", "span"})

    def map_span(self, span: Span, draft: Draft) -> None:
        """Fill in what is still open."""
        if not (span.scope.name.startswith(_SCOPE) or span.name.startswith(_NAME)):
            return
        attributes = span.attributes
        kind = str(attributes.get("span.type") or span.name.removeprefix(_NAME))
        draft.type = draft.type or _TYPES.get(kind)
        match kind:
            case "interaction":
                draft.input = draft.input or attributes.pop("user_prompt", None)
            case "tool":
                draft.name = draft.name or take_text(attributes, ("tool_name",))
                draft.input = draft.input or take_text(attributes, _ARGUMENTS)
                draft.output = draft.output or _output(span)
            case "llm_request":
                draft.input = draft.input or attributes.pop("new_context", None)
                draft.output = draft.output or attributes.pop("response.model_output", None)
                # As in Anthropic's API, the input leaves out tokens of the cache.
                counts: Attributes = {name: attributes.pop(name) for name in _COUNTS if name in attributes}
                draft.usage = draft.usage or usage_from_counts(counts, is_apart=True) or None


def _output(span: Span) -> str | None:
    """The output of a tool, which Claude Code sends as a span event."""
    outputs = (event.attributes for event in span.events if event.name == "tool.output")
    return next((text for output in outputs if (text := take_text(output, ("output", "content")))), None)
