"""Prompts that are named on a span around a call, as Pydantic AI's users do, and belong to the call within."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from appliance.ingestion.otel.trace import SpanSays


def inherit_prompts(spans: Sequence[SpanSays]) -> None:
    """Link each generation that names no prompt to that of the nearest span around it which is in the same request."""
    if not any(says.draft.prompt_name and says.draft.type != "GENERATION" for says in spans):
        return
    by_id = {says.span.id: says for says in spans}
    naming: dict[str, SpanSays | None] = {}
    for says in spans:
        if says.draft.type == "GENERATION" and not says.draft.prompt_name:
            found = _nearest(says.span.parent_id, by_id, naming)
            if found is not None:
                says.draft.prompt_name, says.draft.prompt_version = found.draft.prompt_name, found.draft.prompt_version


def _nearest(id: str, by_id: Mapping[str, SpanSays], naming: dict[str, SpanSays | None]) -> SpanSays | None:
    """The span with this id when it names a prompt, else the nearest one around it; `naming` has those known so far."""
    way: list[str] = []
    while id in by_id and id not in naming:
        says = by_id[id]
        naming[id] = says if says.draft.prompt_name else None
        way.append(id)
        if says.draft.prompt_name:
            break
        id = says.span.parent_id
    found = naming.get(id)
    naming.update(dict.fromkeys(way, found))
    return found
