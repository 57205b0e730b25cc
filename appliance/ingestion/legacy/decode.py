"""Turns events of the ingestion API into parts of traces, and patches of observations and scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from appliance.errors import Undecodable
from appliance.ingestion.json_text import to_text
from appliance.ingestion.legacy.aggregate import StoredEvent, as_object, is_truthy
from appliance.ingestion.source import EntrySource
from appliance.model.environments import normalise_environment
from appliance.model.patches import Patch
from appliance.model.times import parse_iso
from appliance.model.traces import EVENT_WEIGHT, OF_OBSERVATION, TracePart

NAMED_ON_PURPOSE: Final = 2

_TRACE_FIELDS: Final = {
    "name": "name",
    "userId": "user_id",
    "sessionId": "session_id",
    "version": "version",
    "release": "release",
}


class Event(msgspec.Struct):
    """A valid event, as web queues it."""

    id: str
    timestamp: str
    type: str
    body: dict[str, Any]


_events: Final = msgspec.json.Decoder(list[Event])


def decode_events(body: bytes) -> list[Event]:
    """The events of an entry; raises Undecodable."""
    try:
        return _events.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Undecodable(f"The events cannot be read: {error}.") from error


def split_events(events: Iterable[Event], source: EntrySource) -> tuple[list[TracePart], list[Patch]]:
    """The parts of traces and the patches of observations and scores in the events."""
    parts: list[TracePart] = []
    bare: dict[str, TracePart] = {}
    patches: list[Patch] = []
    for event, key, time in _placed(events, source):
        if event.type == "trace-create":
            parts.append(trace_part(event, source, key, time))
            continue
        patches.append(_patch(event, source, key, time))
        if event.type != "score-create" and event.body.get("traceId"):
            part = _bare_part(event, source)
            bare.setdefault(part.id, part)
    known = {part.id for part in parts}
    return [*parts, *(part for part in bare.values() if part.id not in known)], patches


def _placed(events: Iterable[Event], source: EntrySource) -> Iterator[tuple[Event, str, int]]:
    """Each event with its key within the entity, and its time in microseconds since the epoch.

    Events of one request that share their id all count. Of those that share a millisecond, each later one gets a later
    microsecond, so that the order within the request is kept.
    """
    known: Counter[tuple[str, ...]] = Counter()
    moments: Counter[tuple[str, str, int]] = Counter()
    for event in events:
        if event.type == "sdk-log" or not event.body.get("id"):
            continue
        id, kind = str(event.body["id"]), _KINDS.get(event.type, "observation")
        time = parse_iso(event.timestamp) or source.accepted_at
        same, before = (event.type, id, event.id), (kind, id, time)
        yield event, f"{event.id}#{known[same]}" if known[same] else event.id, time + min(moments[before], 999)
        known[same] += 1
        moments[before] += 1


_KINDS: Final = {"trace-create": "trace", "score-create": "score"}


def trace_part(event: Event, source: EntrySource, key: str, time: int) -> TracePart:
    """The part of a `trace-create` event; an explicit null erases earlier values.

    A missing `public` erases nothing (conventions notes 11), nor does an empty input or output.
    """
    body = event.body
    part = TracePart(
        project_id=source.project_id,
        id=str(body["id"]),
        part_id=f"e:{key}",
        timestamp=parse_iso(body.get("timestamp")) or time,
        order_ts=time,
        event_ts=source.accepted_at,
        created_at=source.accepted_at,
        environment=normalise_environment(body.get("environment")),
        weight=EVENT_WEIGHT,
    )
    for sent, field in _TRACE_FIELDS.items():
        if (value := body.get(sent)) is not None:
            setattr(part, field, value)
        elif sent in body:
            part.nulls.append(field)
    part.name_rank = NAMED_ON_PURPOSE if part.name is not None else 0
    part.public = body.get("public")
    part.tags = sorted({str(tag) for tag in body.get("tags") or ()})
    metadata = body.get("metadata")
    part.metadata = {} if metadata is None else {key: to_text(value) for key, value in as_object(metadata).items()}
    part.input = to_text(body["input"]) if is_truthy(body.get("input")) else None
    part.output = to_text(body["output"]) if is_truthy(body.get("output")) else None
    return part


def _bare_part(event: Event, source: EntrySource) -> TracePart:
    """The part that creates a trace known by its observations only."""
    body = event.body
    time = parse_iso(body.get("startTime")) or parse_iso(event.timestamp) or source.accepted_at
    return TracePart(
        project_id=source.project_id,
        id=str(body["traceId"]),
        part_id=f"{OF_OBSERVATION}{body['id']}",
        timestamp=time,
        order_ts=time,
        event_ts=source.accepted_at,
        created_at=source.accepted_at,
        environment=normalise_environment(body.get("environment")),
    )


def _patch(event: Event, source: EntrySource, key: str, time: int) -> Patch:
    kept = StoredEvent(event.id, event.type, time, source.accepted_at, event.body)
    return Patch(
        project_id=source.project_id,
        kind="score" if event.type == "score-create" else "observation",
        entity_id=str(event.body["id"]),
        event_key=f"{event.type}:{key}".encode(),
        body=msgspec.json.encode(kept),
    )
