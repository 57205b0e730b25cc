"""Prompts that are named on a span around a call, as Pydantic AI's users do, and belong to the call within."""

from __future__ import annotations

from collections.abc import Sequence

from appliance.ingestion.otel.trace import SpanSays


def inherit_prompts(spans: Sequence[SpanSays]) -> None:
    """Link each generation that names no prompt to that of the nearest span around it which is in the same request."""
    if not any(says.draft.prompt_name and says.draft.type != "GENERATION" for says in spans):
        return
    by_id = {says.span.id: says for says in spans}
    for says in spans:
        if says.draft.type != "GENERATION" or says.draft.prompt_name:
            continue
        seen = {says.span.id}
        around = by_id.get(says.span.parent_id)
        while around is not None and around.span.id not in seen:
            seen.add(around.span.id)
            if around.draft.prompt_name:
                says.draft.prompt_name = around.draft.prompt_name
                says.draft.prompt_version = around.draft.prompt_version
                break
            around = by_id.get(around.span.parent_id)
