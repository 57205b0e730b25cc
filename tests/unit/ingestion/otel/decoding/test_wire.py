"""Exports in chunks: nothing is lost, nothing large is decoded whole, and what is too much is left out."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from appliance.errors import PayloadTooLarge, Undecodable
from appliance.ingestion.accept import count_json_spans, count_protobuf_spans
from appliance.ingestion.otel.decoding.decode import decode_protobuf
from appliance.ingestion.otel.decoding.wire import CHUNK_BYTES, MOST_SPANS, chunks, has_more_values


def export(*sizes: int, resource: int = 10) -> ExportTraceServiceRequest:
    """Spans with texts of these sizes, two to a scope, two scopes to a resource."""
    request = ExportTraceServiceRequest()
    for number, size in enumerate(sizes):
        if number % 4 == 0:
            request.resource_spans.add().resource.attributes.add(key="r").value.string_value = "r" * resource
        if number % 2 == 0:
            request.resource_spans[-1].scope_spans.add().scope.name = f"scope {number}"
        span = request.resource_spans[-1].scope_spans[-1].spans.add(name=f"span {number}")
        span.trace_id, span.span_id = b"t" * 16, bytes([number]) * 7 + b"x"
        span.attributes.add(key="text").value.string_value = "x" * size
    return request


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, CHUNK_BYTES * 2), min_size=1, max_size=9), st.integers(0, CHUNK_BYTES))
def test_pieces_together_say_the_same(sizes: list[int], resource: int) -> None:
    request = export(*sizes, resource=resource)
    body = request.SerializeToString()
    found = [ExportTraceServiceRequest.FromString(chunk) for chunk in chunks(body) if chunk is not None]
    told = [
        (group.resource.SerializeToString(), part.scope.name, span.SerializeToString())
        for one in found
        for group in one.resource_spans
        for part in group.scope_spans
        for span in part.spans
    ]
    assert told == [
        (group.resource.SerializeToString(), part.scope.name, span.SerializeToString())
        for group in request.resource_spans
        for part in group.scope_spans
        for span in part.spans
    ]
    assert count_protobuf_spans(body).spans == len(sizes)
    assert [span.name for span in decode_protobuf(body)] == [f"span {number}" for number in range(len(sizes))]


def test_no_piece_is_much_larger_than_asked() -> None:
    body = export(*[100_000] * 40).SerializeToString()
    assert max(len(chunk) for chunk in chunks(body) if chunk is not None) < CHUNK_BYTES + 1000


def test_one_large_span_alone_is_not_copied() -> None:
    body = export(CHUNK_BYTES * 2).SerializeToString()
    [chunk] = chunks(body)
    assert chunk is body


def test_a_span_with_too_many_values_is_left_out() -> None:
    request = export(CHUNK_BYTES, CHUNK_BYTES, 10)
    for _ in range(MOST_SPANS):
        request.resource_spans[0].scope_spans[0].spans[0].attributes.add()
    body = request.SerializeToString()
    counted = count_protobuf_spans(body)
    assert (counted.spans, counted.refused) == (2, 1)
    assert "values" in counted.reason
    assert [span.name for span in decode_protobuf(body)] == ["span 1", "span 2"]


def test_values_are_counted_however_deep() -> None:
    request = export(1)
    value = request.resource_spans[0].scope_spans[0].spans[0].events.add().attributes.add().value
    for _ in range(30):
        value = value.array_value.values.add()
        value.kvlist_value.values.add()
        value = value.kvlist_value.values[0].value
    span = request.resource_spans[0].scope_spans[0].spans[0].SerializeToString()
    assert has_more_values(span, 100)
    assert not has_more_values(span, 200)


@pytest.mark.parametrize("field", [b"\x12\x00", b"\x08\x01", b"\x1a\x00"], ids=["spans", "numbers", "unknown"])
def test_too_many_fields_are_refused(field: bytes) -> None:
    scope = field * (MOST_SPANS + 20_000)
    inner = b"\x12" + _varint(len(scope)) + scope
    with pytest.raises(PayloadTooLarge):
        list(chunks(b"\x0a" + _varint(len(inner)) + inner))


@pytest.mark.parametrize("tail", [b"\x0a\xff", b"\x0b", b"\xff" * 20, b"\x09\x00"])
def test_a_torn_export_is_refused(tail: bytes) -> None:
    with pytest.raises(Undecodable):
        list(chunks(export(CHUNK_BYTES).SerializeToString() + tail))


def test_too_many_spans_in_json_are_refused() -> None:
    with pytest.raises(PayloadTooLarge):
        count_json_spans(b'{"resourceSpans":[{"scopeSpans":[{"spans":[' + b"{}," * MOST_SPANS + b"{}]}]}]}")


def test_a_json_span_with_too_many_values_is_left_out() -> None:
    text = b'{"traceId":"a","spanId":"b","attributes":[' + b"{}," * (3 * MOST_SPANS) + b"{}]}"
    counted = count_json_spans(b'{"resourceSpans":[{"scopeSpans":[{"spans":[' + text + b"]}]}]}")
    assert (counted.spans, counted.refused) == (0, 1)


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])
