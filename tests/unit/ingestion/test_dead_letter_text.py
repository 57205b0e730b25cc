"""Payloads of dead letters as people see them."""

from __future__ import annotations

import gzip
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from appliance.ingestion.dead_letter_text import dead_letter_text
from appliance.model.queue import Entry

SPAN = Span(trace_id=bytes(15) + b"\7", span_id=bytes(7) + b"\7", name="step")
EXPORT = ExportTraceServiceRequest(resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=[SPAN])])])


def entry(kind: Any, body: bytes, encoding: Any = "") -> Entry:
    return Entry(kind=kind, project_id="p", body=body, accepted_at=0, encoding=encoding)


def test_spans_show_their_ids_in_hexadecimal() -> None:
    shown = dead_letter_text(entry("otlp-protobuf", gzip.compress(EXPORT.SerializeToString()), "gzip"))
    [span] = shown["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert (span["traceId"], span["spanId"], span["name"]) == (f"{7:032x}", f"{7:016x}", "step")


def test_events_are_json() -> None:
    assert dead_letter_text(entry("events", b'[{"id":"e"}]')) == [{"id": "e"}]


def test_what_cannot_be_read_is_dumped() -> None:
    assert dead_letter_text(entry("events", b"ab\x00")) == f"00000000  {'61 62 00':<47}  ab."
    assert dead_letter_text(entry("otlp-protobuf", b"\xff" * 600)).endswith("... 600 bytes in all")
    assert dead_letter_text(entry("otlp-protobuf", b"no gzip", "gzip")).startswith("00000000  6e 6f")
