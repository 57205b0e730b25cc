"""Large bodies in chunks say the same as in one."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from appliance.errors import Undecodable
from appliance.ingestion.process import process
from appliance.ingestion.split import split_body
from appliance.model.price_table import built_in_models
from appliance.model.pricing import Pricing
from appliance.model.queue import Delivery, Entry
from appliance.storage.clickhouse.writer import encode

SHAPES = st.lists(st.lists(st.lists(st.integers(0, 400), max_size=6), max_size=4), max_size=4)
"""Bytes of text of each span, by scope and resource."""


def request(shape: list[list[list[int]]]) -> ExportTraceServiceRequest:
    number = 0
    found = ExportTraceServiceRequest()
    for first, scopes in enumerate(shape):
        attribute = KeyValue(key="service.name", value=AnyValue(string_value=f"service-{first}"))
        resource = found.resource_spans.add(resource=Resource(attributes=[attribute]), schema_url="schema")
        for second, sizes in enumerate(scopes):
            scope = resource.scope_spans.add(scope=InstrumentationScope(name=f"scope-{second}"))
            for size in sizes:
                number += 1
                scope.spans.add(span_id=number.to_bytes(8, "big"), name="x" * size)
    return found


def spans_of(export: dict[str, Any]) -> list[tuple[Any, Any, Any]]:
    return [
        (resource.get("resource"), scope.get("scope"), span)
        for resource in export.get("resourceSpans", ())
        for scope in resource.get("scopeSpans", ())
        for span in scope.get("spans", ())
    ]


@given(SHAPES, st.integers(50, 800))
def test_protobuf_in_pieces_is_the_same(shape: list[list[list[int]]], limit: int) -> None:
    whole = request(shape)
    parts = [ExportTraceServiceRequest.FromString(part) for part in split_body("otlp-protobuf", _bytes(whole), limit)]
    assert [span for part in parts for span in spans_of(MessageToDict(part))] == spans_of(MessageToDict(whole))


@given(SHAPES, st.integers(50, 800))
def test_json_in_pieces_is_the_same(shape: list[list[list[int]]], limit: int) -> None:
    whole = MessageToDict(request(shape))
    parts = [json.loads(part) for part in split_body("otlp-json", json.dumps(whole).encode(), limit)]
    assert [span for part in parts for span in spans_of(part)] == spans_of(whole)


@given(st.lists(st.integers(0, 400)), st.integers(50, 800))
def test_events_in_pieces_are_the_same(sizes: list[int], limit: int) -> None:
    whole = [{"id": str(number), "body": "x" * size} for number, size in enumerate(sizes)]
    parts = list(split_body("events", json.dumps(whole).encode(), limit))
    assert [event for part in parts for event in json.loads(part)] == whole


def test_pieces_are_small_unless_a_span_is_large() -> None:
    body = _bytes(request([[[400] * 50 + [5_000]], [[10]]]))
    sizes = [len(part) for part in split_body("otlp-protobuf", body, 1_000)]
    assert sorted(sizes)[-2] < 1_200 < 5_000 < max(sizes)
    assert len(sizes) < 40


def test_many_small_resources_share_pieces() -> None:
    body = _bytes(request([[[10]]] * 100))
    assert len(list(split_body("otlp-protobuf", body, len(body) // 4 + 100))) == 4


@pytest.mark.parametrize("kind", ["otlp-protobuf", "otlp-json", "events"])
def test_what_cannot_be_split_is_undecodable(kind: Any) -> None:
    with pytest.raises(Undecodable):
        list(split_body(kind, b"\x0a\xff\x7f" * 40, 50))


def _bytes(message: ExportTraceServiceRequest) -> bytes:
    return message.SerializeToString()


def test_one_large_span_is_decoded_and_encoded_with_few_copies() -> None:
    size = 8_000_000
    export = request([[[1]]])
    span = export.resource_spans[0].scope_spans[0].spans[0]
    span.trace_id = b"t" * 16
    span.attributes.add(key="input.value").value.string_value = "x" * size
    body = _bytes(export)
    pricing = Pricing(built_in_models(), {})
    tracemalloc.start()
    try:
        [chunk] = split_body("otlp-protobuf", body, 1000)
        entry = Entry(kind="otlp-protobuf", project_id="p", body=chunk, accepted_at=1)
        batch = process([Delivery("1-0", entry, 1)], pricing)
        assert sum(len(block) for block in encode(batch.observations, size)) > size
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3.5 * size  # the text, and its row in a buffer that grew; `body` was there before
