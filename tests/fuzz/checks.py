"""What must hold of every payload, however hostile: what web accepts, the worker turns into rows that can be stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from appliance.errors import PayloadTooLarge, Undecodable
from appliance.ingestion.accept import Counted, count_json_spans, count_protobuf_spans, inflate
from appliance.ingestion.legacy.merge import merge_observation, merge_score
from appliance.ingestion.process import Batch, process
from appliance.model.observations import Observation
from appliance.model.patches import PatchSet
from appliance.model.price_table import built_in_models
from appliance.model.pricing import Pricing
from appliance.model.queue import Delivery, Entry, EntryKind
from appliance.model.scores import Score
from appliance.model.times import LATEST
from appliance.model.traces import TracePart, aggregate_parts
from appliance.web.api.ingestion import sort_out
from tests.fuzz import hostile
from tests.patched import events_of

_PRICING: Final = Pricing(built_in_models())
NOW: Final = 1_763_895_000_000_000


def worked(kind: EntryKind, body: bytes) -> Batch:
    """What the worker makes of an accepted body."""
    entry = Entry(kind=kind, project_id="p", body=body, accepted_at=NOW, sdk_name="python", sdk_version="5.0")
    return process([Delivery("1-0", entry, 1)], _PRICING)


def storable(row: Observation | TracePart | Score, kind: type[Any]) -> None:
    """Whether a row can be sent to ClickHouse and means the same there."""
    content = msgspec.json.encode(row)
    msgspec.json.decode(content, type=kind)
    for name in ("start_time", "end_time", "completion_start_time", "timestamp", "order_ts"):
        moment = getattr(row, name, None)
        assert moment is None or 0 <= moment <= LATEST, (name, moment)


def check_protobuf(body: bytes) -> None:
    """Any bytes."""
    counted = _counted(count_protobuf_spans, body)
    if counted is not None:
        _check_rows(counted, worked("otlp-protobuf", body))


def check_export(request: ExportTraceServiceRequest) -> None:
    """Any protobuf export; it is always accepted, but for spans without ids."""
    body = request.SerializeToString()
    counted = count_protobuf_spans(body)
    _check_rows(counted, worked("otlp-protobuf", body))


def check_json(body: bytes) -> None:
    """Any bytes, or an export in JSON."""
    counted = _counted(count_json_spans, body)
    if counted is not None and counted.spans:
        _check_rows(counted, worked("otlp-json", body))


def check_gzip(content: bytes) -> None:
    """Any bytes as gzip."""
    try:
        inflate(content, 10_000)
    except (Undecodable, PayloadTooLarge):
        return


def check_events(sent: list[Any]) -> None:
    """Any events of the ingestion API."""
    try:
        batch = msgspec.json.decode(hostile.enlarged(msgspec.json.encode(sent)))
    except msgspec.DecodeError:  # web answers 400
        return
    accepted, refused = sort_out(batch, "project")
    assert len(accepted) + len(refused) == len(batch)
    body = msgspec.json.encode([event for event in accepted if event["type"] != "sdk-log"])
    made = worked("events", body)
    for part in made.parts:
        storable(part, TracePart)
        aggregate_parts([part])
    for patch in made.patches:
        known = PatchSet((patch.project_id, patch.kind, patch.entity_id), {patch.event_key: patch.body}, NOW, True)
        if patch.kind == "score":
            if (score := merge_score(known, events_of(known), None, {})) is not None:
                storable(score, Score)
            continue
        for row in merge_observation(known, events_of(known), None, _PRICING):
            storable(row, Observation)


def _counted(count: Callable[[bytes], Counted], body: bytes) -> Counted | None:
    try:
        return count(body)
    except (Undecodable, PayloadTooLarge):
        return None


def _check_rows(counted: Counted, made: Batch) -> None:
    assert len(made.observations) == counted.spans
    for row in made.observations:
        storable(row, Observation)
    for part in made.parts:
        storable(part, TracePart)
        aggregate_parts([part])


CHECKS: Final[Mapping[str, tuple[st.SearchStrategy[Any], Callable[[Any], None]]]] = {
    "protobuf, any bytes": (st.binary(max_size=400), check_protobuf),
    "protobuf, any attributes": (hostile.exports(), check_export),
    "JSON, any bytes": (st.binary(max_size=200) | hostile.json_values.map(msgspec.json.encode), check_json),
    "JSON, any export": (hostile.json_exports, check_json),
    "gzip": (
        st.binary(max_size=200) | st.binary(max_size=200).map(lambda rest: b"\x1f\x8b\x08\x00" + rest),
        check_gzip,
    ),
    "events": (st.lists(hostile.events | hostile.json_values, max_size=4), check_events),
}


def run(name: str, examples: int, *, derandomize: bool) -> None:
    """Holds one of the checks for so many examples; raises what the first failure raises, on its smallest example."""
    strategy, check = CHECKS[name]

    @settings(
        max_examples=examples,
        derandomize=derandomize,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def hold(example: Any) -> None:
        check(example)

    hold()
