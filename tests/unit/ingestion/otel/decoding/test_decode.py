"""Protobuf and JSON exports decode to the same spans."""

from __future__ import annotations

import json

import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Status
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan

from appliance.errors import Undecodable
from appliance.ingestion.accept import count_json_spans, count_protobuf_spans
from appliance.ingestion.otel.decoding.decode import decode_json, decode_protobuf

VALUES = {
    "text": AnyValue(string_value="abc"),
    "empty": AnyValue(string_value=""),
    "yes": AnyValue(bool_value=True),
    "no": AnyValue(bool_value=False),
    "count": AnyValue(int_value=0),
    "big": AnyValue(int_value=-(2**62)),
    "ratio": AnyValue(double_value=0.5),
    "nan": AnyValue(double_value=float("nan")),
    "list": AnyValue(array_value=ArrayValue(values=[AnyValue(string_value="a"), AnyValue(int_value=2)])),
    "map": AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key="k", value=AnyValue(int_value=1))])),
}


def make_request() -> ExportTraceServiceRequest:
    span = WireSpan(
        trace_id=bytes(range(16)),
        span_id=bytes(range(8)),
        name="step",
        start_time_unix_nano=1_700_000_000_123_456_789,
        end_time_unix_nano=1_700_000_001_000_000_000,
        attributes=[KeyValue(key=key, value=value) for key, value in VALUES.items()],
        status=Status(code=Status.STATUS_CODE_ERROR, message="broken"),
        events=[WireSpan.Event(name="exception", time_unix_nano=1_700_000_000_500_000_000)],
    )
    group = ResourceSpans(scope_spans=[ScopeSpans(spans=[span])])
    group.scope_spans[0].scope.name = "langfuse-sdk"
    group.scope_spans[0].scope.version = "4.14.3"
    group.resource.attributes.append(KeyValue(key="service.name", value=AnyValue(string_value="app")))
    return ExportTraceServiceRequest(resource_spans=[group])


def as_otlp_json(request: ExportTraceServiceRequest) -> bytes:
    wire = MessageToDict(request)
    span = wire["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    span["traceId"], span["spanId"] = bytes(range(16)).hex(), bytes(range(8)).hex()
    return json.dumps(wire).encode()


def test_protobuf_values_follow_the_rules() -> None:
    (span,) = decode_protobuf(make_request().SerializeToString())

    assert span.attributes == {
        "text": "abc",
        "empty": "",
        "yes": True,
        "no": False,
        "count": 0,
        "big": -(2**62),
        "ratio": 0.5,
        "nan": "NaN",
        "list": ["a", 2],
        "map": '{"k":1}',
    }
    assert (span.trace_id, span.id, span.parent_id) == ("000102030405060708090a0b0c0d0e0f", "0001020304050607", "")
    assert (span.start, span.end) == (1_700_000_000_123_456, 1_700_000_001_000_000)
    assert (span.status_code, span.status_message) == (2, "broken")
    assert span.scope.is_langfuse_sdk
    assert span.resource.text("service.name") == "app"


def test_json_gives_the_same_span_as_protobuf() -> None:
    request = make_request()

    (from_json,) = decode_json(as_otlp_json(request))
    (from_protobuf,) = decode_protobuf(request.SerializeToString())

    assert from_json == from_protobuf


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(0, 5_000, (5, 5)), (7_000, 0, (7, 7)), (9_000, 3_000, (9, 9))],
)
def test_a_missing_edge_is_the_other_one(start: int, end: int, expected: tuple[int, int]) -> None:
    request = make_request()
    span = request.resource_spans[0].scope_spans[0].spans[0]
    span.start_time_unix_nano, span.end_time_unix_nano = start, end

    (decoded,) = decode_protobuf(request.SerializeToString())

    assert (decoded.start, decoded.end) == expected


def test_halves_of_a_long_are_put_together() -> None:
    wire = {"traceId": "t", "spanId": "s", "startTimeUnixNano": {"high": 1, "low": -1}}
    (span,) = decode_json(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [wire]}]}]}).encode())

    assert span.start == (2**33 - 1) // 1000


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"resourceSpans": [3]}'])
def test_other_json_is_refused(body: bytes) -> None:
    with pytest.raises(Undecodable):
        list(decode_json(body))


def test_other_bytes_are_refused() -> None:
    with pytest.raises(Undecodable):
        list(decode_protobuf(b"\xff\xff\xff"))


def one_json_span(**fields: object) -> bytes:
    span = {"traceId": "aa", "spanId": "bb", "attributes": [{"key": "k", "value": {"stringValue": "VALUE"}}], **fields}
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"scope": {"name": "SCOPE"}, "spans": [span]}]}]}).encode()


def test_text_that_is_not_utf_8_is_replaced() -> None:
    body = one_json_span().replace(b"VALUE", b"a\xff").replace(b"SCOPE", b"s\xfe")
    assert count_json_spans(body).spans == 1
    (span,) = decode_json(body)

    assert (span.attributes, span.scope.name) == ({"k": "a\ufffd"}, "s\ufffd")
    with pytest.raises(Undecodable):
        count_json_spans(one_json_span(spanId="VALUE").replace(b'"VALUE"', b'"\xff"'))


def test_text_in_protobuf_that_is_not_utf_8_is_replaced() -> None:
    request = make_request()
    span = request.resource_spans[0].scope_spans[0].spans[0]
    span.attributes.add(key="nested").value.kvlist_value.values.add(key="k").value.string_value = "BAD"
    span.attributes.add(key="BAD").value.array_value.values.add().bytes_value = b"\xff"
    span.trace_state = span.name = "BAD"
    body = request.SerializeToString().replace(b"BAD", b"a\xff\xfe")
    assert count_protobuf_spans(body).spans == 1
    (found,) = decode_protobuf(body)

    (sound,) = decode_protobuf(make_request().SerializeToString())
    assert (found.id, found.start, found.name) == (sound.id, sound.start, "a\ufffd\ufffd")
    assert found.attributes == {
        **sound.attributes,
        "nested": '{"k":"a\ufffd\ufffd"}',
        "a\ufffd\ufffd": [b"\xff"],
    }


@pytest.mark.parametrize("body", [b"\xff", b"\x0a\xff\x7f", b"no export at all"])
def test_what_is_no_protobuf_stays_undecodable(body: bytes) -> None:
    with pytest.raises(Undecodable):
        list(decode_protobuf(body))


@pytest.mark.parametrize("parent", ["", "0000000000000000", bytes(range(8)).hex(), bytes(range(16)).hex()])
def test_zeros_the_span_itself_and_its_trace_are_no_parent(parent: str) -> None:
    request = make_request()
    wire = request.resource_spans[0].scope_spans[0].spans[0]
    body = one_json_span(traceId=wire.trace_id.hex(), spanId=wire.span_id.hex(), parentSpanId=parent.upper())
    (span,) = decode_json(body)
    assert span.parent_id == ""

    wire.parent_span_id = bytes.fromhex(parent)
    (span,) = decode_protobuf(request.SerializeToString())
    assert span.parent_id == ""


def test_a_time_before_the_epoch_is_none() -> None:
    (span,) = decode_json(one_json_span(startTimeUnixNano="-5000", endTimeUnixNano="2000000"))

    assert (span.start, span.end) == (2000, 2000)


def test_ids_in_capitals_are_those_in_small_letters() -> None:
    trace, span, parent = "AB" * 16, "CD" * 8, "1234567890ABCDEF"
    body = one_json_span(
        traceId=trace, spanId=span, parentSpanId=parent, links=[{"traceId": trace, "spanId": "eF" * 8}]
    )
    (found,) = decode_json(body)

    assert (found.trace_id, found.id, found.parent_id) == ("ab" * 16, "cd" * 8, "1234567890abcdef")
    assert (found.links[0].trace_id, found.links[0].span_id) == ("ab" * 16, "ef" * 8)
    (other,) = decode_json(one_json_span(traceId="Order-17A", spanId="Q83vEjRWeJA="))
    assert (other.trace_id, other.id) == ("Order-17A", "Q83vEjRWeJA=")
