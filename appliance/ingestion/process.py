"""Turns entries of the queue into rows: decodes, maps and enriches them, without I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from appliance.errors import PayloadTooLarge, Undecodable
from appliance.ingestion.accept import inflate
from appliance.ingestion.enrich import COUNTED_TYPES
from appliance.ingestion.legacy.decode import decode_events, split_events
from appliance.ingestion.media import MediaFinder, may_hold_media
from appliance.ingestion.otel.conventions.registry import draft_of
from appliance.ingestion.otel.decoding.decode import decode_json, decode_protobuf
from appliance.ingestion.otel.observation import complete_metadata, observation_of, own_totals
from appliance.ingestion.otel.prompts import inherit_prompts
from appliance.ingestion.otel.span import Span
from appliance.ingestion.otel.trace import MappedSpan, trace_parts
from appliance.ingestion.source import EntrySource
from appliance.model.media import Content
from appliance.model.observations import Observation
from appliance.model.own_totals import OwnTotals, below, step_of
from appliance.model.patches import EntityKey, Patch
from appliance.model.pricing import Pricing
from appliance.model.queue import Delivery, Entry
from appliance.model.traces import TracePart

MAX_DECOMPRESSED_BYTES: Final = 256 * 1024 * 1024
"""Web refuses larger bodies; checked again here."""


@dataclass(slots=True)
class Batch:
    """The rows and patches of some deliveries, which are written and acknowledged together."""

    deliveries: list[Delivery] = field(default_factory=list)
    observations: list[Observation] = field(default_factory=list)
    parts: list[TracePart] = field(default_factory=list)
    patches: list[Patch] = field(default_factory=list)
    media: dict[tuple[str, str], Content] = field(default_factory=dict)
    """The files found in the bodies, by project and id."""
    size: int = 0
    """Bytes of the bodies after decompression."""
    totals: list[OwnTotals] = field(default_factory=list)
    """Totals of agents whose request holds no calls below them; `observations` has their rows without these totals."""
    score_entries: dict[tuple[EntityKey, bytes], str] = field(default_factory=dict)
    """The id of the entry of each score event, by its score and its key."""

    @property
    def rows(self) -> int:
        """The approximate number of rows of observations and scores."""
        return len(self.observations) + len({patch.key for patch in self.patches})

    def add(self, other: Batch) -> None:
        """Add another batch to this one."""
        self.deliveries += other.deliveries
        self.observations += other.observations
        self.parts += other.parts
        self.patches += other.patches
        self.media |= other.media
        self.size += other.size
        self.totals += other.totals
        self.score_entries |= other.score_entries


def process(deliveries: Iterable[Delivery], pricing: Pricing) -> Batch:
    """The rows and patches of some deliveries; raises Undecodable when one of them cannot be read."""
    batch = Batch()
    for delivery in deliveries:
        body = plain_body(delivery.entry)
        batch.deliveries.append(delivery)
        batch.size += len(body)
        before = len(batch.patches)
        _process_entry(delivery.entry, body, pricing, batch)
        scores = (patch for patch in batch.patches[before:] if patch.kind == "score")
        batch.score_entries |= {(patch.key, patch.event_key): delivery.id for patch in scores}
    return batch


def _process_entry(entry: Entry, body: bytes, pricing: Pricing, batch: Batch) -> None:
    source = EntrySource(entry.project_id, entry.accepted_at, entry.sdk_name, entry.sdk_version)
    finder = MediaFinder() if may_hold_media(body) else None
    match entry.kind:
        case "otlp-protobuf" | "otlp-json":
            decode = decode_protobuf if entry.kind == "otlp-protobuf" else decode_json
            spans = decode(body, has_json_metadata=source.has_json_metadata)
            _add_spans(finder.without_files(spans) if finder else spans, source, pricing, batch)
        case "events" | "scores":
            events = decode_events(body)
            if finder:
                finder.take_from_events(events)
            parts, patches = split_events(events, source)
            batch.parts += parts
            batch.patches += patches
        case _:
            raise Undecodable(f"Unknown entry kind {entry.kind!r}.")
    if finder:
        batch.media |= {(entry.project_id, key): content for key, content in finder.found.items()}


def _add_spans(spans: Iterable[Span], source: EntrySource, pricing: Pricing, batch: Batch) -> None:
    traces: dict[str, list[MappedSpan]] = {}
    holding_calls: set[tuple[str, str]] = set()
    for span in spans:
        if not span.trace_id or not span.id:
            continue
        draft = draft_of(span)
        complete_metadata(span, draft)
        traces.setdefault(span.trace_id, []).append(MappedSpan(span, draft))
        if draft.type in COUNTED_TYPES:
            holding_calls.add((span.trace_id, span.parent_id))
    for mapped_spans in traces.values():
        inherit_prompts(mapped_spans)
    for trace_id, mapped_spans in traces.items():
        rows: list[Observation] = []
        totals: list[OwnTotals] = []
        for mapped in mapped_spans:
            holds_calls = (trace_id, mapped.span.id) in holding_calls
            if own := own_totals(mapped.span, mapped.draft, source, pricing):
                totals.append(own)
            rows.append(observation_of(mapped.span, mapped.draft, source, pricing, holds_calls=holds_calls))
        batch.observations += rows
        batch.totals += _without_calls(totals, rows)
    for mapped_spans in traces.values():
        batch.parts += trace_parts(mapped_spans, source)


def _without_calls(totals: list[OwnTotals], rows: Iterable[Observation]) -> list[OwnTotals]:
    """Totals of agents with no costs below them in the request; the worker looks for calls in other requests."""
    if not totals:
        return []
    held = below([step_of(row) for row in rows])
    return [each for each in totals if each.choice(held) is not each.set_aside]


def plain_body(entry: Entry) -> bytes:
    """The body after decompression; raises Undecodable."""
    if entry.encoding != "gzip":
        return entry.body
    try:
        return inflate(entry.body, MAX_DECOMPRESSED_BYTES)
    except PayloadTooLarge as error:
        raise Undecodable(error.message) from error
