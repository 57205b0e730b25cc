"""The parts that the spans of one request add to their traces (SDK contract 4.4, conventions notes 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.ingestion.json_text import to_text
from appliance.ingestion.otel.draft import Draft
from appliance.ingestion.otel.span import Span
from appliance.ingestion.source import EntrySource
from appliance.model.traces import APP_ROOT_WEIGHT, OF_TOPMOST, ROOT_WEIGHT, TracePart

NAMED_BY_SPAN = 1
NAMED_ON_PURPOSE = 2
"""Ranks of names: one that the program sets for the trace replaces the name of a span."""


@dataclass(slots=True)
class MappedSpan:
    """A span together with its draft."""

    span: Span
    draft: Draft

    @property
    def is_root(self) -> bool:
        """Whether the span or its SDK declares it a root; a trace may have several."""
        return not self.span.parent_id or self.draft.as_root or self.draft.is_app_root

    @property
    def weight(self) -> int:
        """Weight of its part. A span that joins a trace of another process has a parent there, which may still come."""
        if not self.span.parent_id:
            return ROOT_WEIGHT - self.span.start
        if self.draft.is_app_root and not self.draft.as_root:
            return APP_ROOT_WEIGHT - self.span.start
        return -self.span.start

    @property
    def has_updates(self) -> bool:
        """Whether a span that is not a root sets anything on its trace."""
        draft = self.draft
        return bool(
            draft.trace_name
            or draft.user_id
            or draft.session_id
            or draft.tags
            or draft.public
            or draft.trace_metadata
            or draft.trace_input
            or draft.trace_output
        )


def trace_parts(spans: Sequence[MappedSpan], source: EntrySource) -> list[TracePart]:
    """The parts that the spans of one trace in one request add to it; at least one, so that the trace exists.

    One part for each root, and one for all other spans that set something the root does not. Without a root the latter
    stands for the topmost span, too, whose name is the trace's unless something above it comes. The ids of the parts
    come from span ids, so the same request always makes the same parts.
    """
    ordered = sorted(spans, key=lambda each: (each.span.start, -each.span.end, each.span.id))
    roots = [_root_part(each, source) for each in ordered if each.is_root]
    others = [each for each in ordered if not each.is_root and each.has_updates]
    parts = roots
    if top := _topmost(ordered):
        parts = [*roots, _topmost_part(top, ordered[0].span.start, others, source)]
    elif others:
        update = _update(_bare_part("u", others[0], source), others)
        if len(roots) != 1 or not _repeats(update, roots[0]):
            parts = [*roots, update]
    if any(part.session_id for part in parts):
        return parts
    return [*parts, *_conversation_part(ordered, source)]


def _topmost(ordered: Sequence[MappedSpan]) -> MappedSpan | None:
    """The first span to start of those without a parent among `ordered`, unless a root says more of the trace.

    In a cycle of parents it is the first of all.
    """
    if any(each.weight > 0 for each in ordered):
        return None
    here = {each.span.id for each in ordered}
    first = next((each for each in ordered if each.span.parent_id not in here), ordered[0])
    return None if first.is_root else first


def _bare_part(kind: str, mapped: MappedSpan, source: EntrySource) -> TracePart:
    span = mapped.span
    return TracePart(
        project_id=source.project_id,
        id=span.trace_id,
        part_id=f"{kind}:{span.id}",
        timestamp=span.start,
        order_ts=span.start,
        event_ts=source.accepted_at,
        created_at=source.accepted_at,
        environment=mapped.draft.environment or "default",
    )


def _conversation_part(ordered: Sequence[MappedSpan], source: EntrySource) -> list[TracePart]:
    """The conversation of the first span that has one, as a session that any named session overrides."""
    for each in ordered:
        if each.draft.conversation_id:
            part = _bare_part("c", each, source)
            part.order_ts = 0  # the oldest part, so that any session set later wins
            part.session_id = each.draft.conversation_id
            return [part]
    return []


def _root_part(root: MappedSpan, source: EntrySource) -> TracePart:
    draft = root.draft
    part = _bare_part("r", root, source)
    part.is_root, part.weight = True, root.weight
    if part.weight < 0:
        part.order_ts, part.parent_id = root.span.end, root.span.parent_id
    _take_name(part, draft)
    part.version, part.release = draft.version, draft.release
    part.metadata = {**draft.metadata, **draft.trace_metadata}
    part.tags = sorted(set(draft.tags or ()))
    _take_attributes(part, draft)
    trace_texts = {"input": _text(draft.trace_input), "output": _text(draft.trace_output)}
    part.given = [name for name, text in trace_texts.items() if text is not None]
    part.input = trace_texts["input"] or _text(draft.input)
    part.output = trace_texts["output"] or _text(draft.output)
    return part


def _topmost_part(top: MappedSpan, began: int, others: Sequence[MappedSpan], source: EntrySource) -> TracePart:
    """The part of a request without a root; input and output of the topmost span stay with its observation."""
    part = _bare_part(OF_TOPMOST[0], top, source)
    part.timestamp, part.weight, part.order_ts = began, top.weight, top.span.end
    part.parent_id = top.span.parent_id
    _take_name(part, top.draft)
    part.version, part.release = top.draft.version, top.draft.release
    return _update(part, others)


def _update(part: TracePart, others: Sequence[MappedSpan]) -> TracePart:
    """The part with the trace attributes of other spans; the last to end comes last, as an outer span does."""
    for each in sorted(others, key=lambda each: (each.span.end, -each.span.start, each.span.id)):
        draft = each.draft
        part.order_ts = each.span.end
        if draft.trace_name:
            _take_name(part, draft)
        part.version = draft.version or part.version
        part.release = draft.release or part.release
        if draft.trace_metadata:
            part.metadata.update(draft.trace_metadata)
        _take_attributes(part, draft)
        part.input = _text(draft.trace_input) or part.input
        part.output = _text(draft.trace_output) or part.output
    part.tags = sorted({tag for each in others for tag in each.draft.tags or ()})
    return part


def _take_name(part: TracePart, draft: Draft) -> None:
    if draft.trace_name:
        part.name, part.name_rank = draft.trace_name, NAMED_ON_PURPOSE
    elif draft.name:
        part.name, part.name_rank = draft.name, NAMED_BY_SPAN


def _take_attributes(part: TracePart, draft: Draft) -> None:
    part.user_id = draft.user_id or part.user_id
    part.session_id = draft.session_id or part.session_id
    # A published trace stays published: a later span without the attribute does not change that.
    part.public = True if draft.public else part.public


def _repeats(update: TracePart, root: TracePart) -> bool:
    """Whether the update only repeats the root, as SDKs put trace attributes on every span."""
    values = (
        (update.name, root.name if root.name_rank == NAMED_ON_PURPOSE else None),
        (update.user_id, root.user_id),
        (update.session_id, root.session_id),
        (update.version, root.version),
        (update.release, root.release),
        (update.public, root.public),
        (update.input, root.input),
        (update.output, root.output),
    )
    return (
        all(value is None or value == root_value for value, root_value in values)
        and set(update.tags) <= set(root.tags)
        and update.metadata.items() <= root.metadata.items()
    )


def _text(value: object) -> str | None:
    """The stored text of a value; None for null and the empty string."""
    return None if value is None or value == "" else to_text(value)
