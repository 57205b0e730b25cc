"""Recorded payloads of real libraries, decoded and mapped without a server."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from appliance.ingestion.legacy.events import accepted_event
from appliance.ingestion.legacy.merge import merge_observation
from appliance.ingestion.process import Batch, process
from appliance.model.observations import Observation
from appliance.model.patches import PatchSet
from appliance.model.price_table import built_in_models
from appliance.model.pricing import Pricing
from appliance.model.queue import Delivery, Entry
from appliance.model.traces import Trace, aggregate_parts
from tests.patched import events_of

CORPUS = Path(__file__).parents[2] / "data" / "corpus"
SOURCES = sorted(folder.name for folder in CORPUS.iterdir() if folder.is_dir())
ACCEPTED_AT = 1_700_000_000_000_000

_PRICING = Pricing(built_in_models())


@dataclass(frozen=True)
class Recorded:
    """One request as it was sent."""

    endpoint: str
    headers: dict[str, str]
    body: bytes

    @property
    def is_json(self) -> bool:
        """Whether it is no protobuf."""
        return "json" in self.headers["content-type"]


@dataclass(frozen=True)
class Read:
    """What is readable after all requests of a source."""

    observations: list[Observation]
    traces: list[Trace]


def expectation(source: str) -> dict[str, Any]:
    """What the recorded program did."""
    found: dict[str, Any] = json.loads((CORPUS / source / "expect.json").read_text())
    return found


def requests(source: str) -> Iterator[Recorded]:
    """The requests of a source that carry spans or events, with plain bodies."""
    for path in sorted((CORPUS / source).glob("*.headers.json")):
        head = json.loads(path.read_text())
        if head["endpoint"] not in ("otlp", "ingestion"):
            continue
        body = Path(str(path).removesuffix(".headers.json") + ".bin").read_bytes()
        headers = {key.lower(): value for key, value in head["headers"]}
        plain = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
        yield Recorded(head["endpoint"], headers, plain)


def read(source: str, *, protobuf_as_json: bool = False) -> Read:
    """The rows and traces that a source comes to; optionally after rewriting its protobuf as OTLP/JSON."""
    batch = Batch()
    for number, request in enumerate(requests(source)):
        kind, body = _entry_body(request, protobuf_as_json)
        entry = Entry(
            kind=kind,
            project_id="p",
            accepted_at=ACCEPTED_AT,
            sdk_name=request.headers.get("x-langfuse-sdk-name", ""),
            sdk_version=request.headers.get("x-langfuse-sdk-version", ""),
            body=body,
        )
        batch.add(process([Delivery(id=str(number), entry=entry, attempts=1)], _PRICING))
    parts: dict[str, list[Any]] = {}
    for part in batch.parts:
        parts.setdefault(part.id, []).append(part)
    rows = [*batch.observations, *_merged(batch)]
    return Read(rows, [aggregate_parts(found) for found in parts.values()])


def otlp_json(body: bytes) -> bytes:
    """A protobuf export as an OTLP/JSON one: the same message, with ids in hex."""
    export = MessageToDict(ExportTraceServiceRequest.FromString(body))
    for resource in export.get("resourceSpans", ()):
        for scope in resource.get("scopeSpans", ()):
            for span in scope.get("spans", ()):
                for key in ("traceId", "spanId", "parentSpanId"):
                    if key in span:
                        span[key] = base64.b64decode(span[key]).hex()
    return json.dumps(export).encode()


OtlpOrEvents = Literal["otlp-protobuf", "otlp-json", "events"]


def _entry_body(request: Recorded, protobuf_as_json: bool) -> tuple[OtlpOrEvents, bytes]:
    if request.endpoint == "ingestion":
        events = [accepted_event(event) for event in json.loads(request.body)["batch"]]
        return "events", msgspec.json.encode(events)
    if request.is_json:
        return "otlp-json", request.body
    return ("otlp-json", otlp_json(request.body)) if protobuf_as_json else ("otlp-protobuf", request.body)


def _merged(batch: Batch) -> Iterator[Observation]:
    patches: dict[tuple[str, str, str], dict[bytes, bytes]] = {}
    for patch in batch.patches:
        if patch.kind == "observation":
            patches.setdefault((patch.project_id, patch.kind, patch.entity_id), {})[patch.event_key] = patch.body
    for key, bodies in patches.items():
        known = PatchSet(key, bodies, ACCEPTED_AT, True)
        yield merge_observation(known, events_of(known), None, _PRICING)[-1]
