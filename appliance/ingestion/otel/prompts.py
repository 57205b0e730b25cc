"""Prompts that are named on a span around a call, as users of Pydantic AI do, and belong to the call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from appliance.ingestion.otel.trace import MappedSpan


def inherit_prompts(spans: Sequence[MappedSpan]) -> None:
    """Link each generation without a prompt to that of the nearest enclosing span in the same request."""
    if not any(each.draft.prompt_name and each.draft.type != "GENERATION" for each in spans):
        return
    by_id = {each.span.id: each for each in spans}
    naming: dict[str, MappedSpan | None] = {}
    for each in spans:
        if each.draft.type == "GENERATION" and not each.draft.prompt_name:
            nearest = _nearest(each.span.parent_id, by_id, naming)
            if nearest is not None:
                each.draft.prompt_name, each.draft.prompt_version = (
                    nearest.draft.prompt_name,
                    nearest.draft.prompt_version,
                )


def _nearest(id: str, by_id: Mapping[str, MappedSpan], naming: dict[str, MappedSpan | None]) -> MappedSpan | None:
    """The span with this id when it names a prompt, else the nearest enclosing one; `naming` caches the results."""
    way: list[str] = []
    while id in by_id and id not in naming:
        each = by_id[id]
        naming[id] = each if each.draft.prompt_name else None
        way.append(id)
        if each.draft.prompt_name:
            break
        id = each.span.parent_id
    nearest = naming.get(id)
    naming.update(dict.fromkeys(way, nearest))
    return nearest
