"""Decodes OTLP trace exports, protobuf or JSON, into spans (contract: server semantics 4.2)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan

from appliance.errors import PayloadTooLarge, Undecodable
from appliance.ingestion.json_text import to_json
from appliance.ingestion.otel.decoding.json_shape import groups, has_too_many_values
from appliance.ingestion.otel.decoding.protobuf import export_of
from appliance.ingestion.otel.decoding.wire import chunks
from appliance.ingestion.otel.span import Attributes, Resource, Scope, Span, SpanEvent, SpanLink
from appliance.model.ids import canonical_id, parent_of
from appliance.model.times import clamp, now_us

LANGFUSE_SCOPE: Final = "langfuse-sdk"

_TWO_TO_63: Final = 1 << 63


def decode_protobuf(body: bytes, *, has_json_metadata: bool = False) -> Iterator[Span]:
    """The spans of a serialised ExportTraceServiceRequest, in order; large ones are read in chunks.

    Raises Undecodable, at any span.
    """
    now = now_us()
    for chunk in _chunks(body):
        try:
            request = export_of(chunk)
        except DecodeError as error:
            raise Undecodable(f"The OTLP protobuf cannot be read: {error}.") from error
        for group in request.resource_spans:
            resource = _resource(_attributes(group.resource.attributes))
            for part in group.scope_spans:
                own = _attributes(part.scope.attributes)
                scope = _scope(part.scope.name, part.scope.version, own, has_json_metadata)
                for wire in part.spans:
                    yield _span(wire, resource, scope, now)


def _chunks(body: bytes) -> Iterator[bytes]:
    """The chunks of an export, without the spans that web refused."""
    try:
        yield from (chunk for chunk in chunks(body) if chunk is not None)
    except PayloadTooLarge as error:
        raise Undecodable(error.message) from error


def _span(wire: WireSpan, resource: Resource, scope: Scope, now: int) -> Span:
    start, end = _edges(wire.start_time_unix_nano, wire.end_time_unix_nano, now)
    status = wire.status
    return Span(
        trace_id := wire.trace_id.hex(),
        id := wire.span_id.hex(),
        parent_of(wire.parent_span_id.hex(), id, trace_id),
        wire.name,
        start,
        end,
        _attributes(wire.attributes),
        status.code,
        status.message,
        resource,
        scope,
        [SpanEvent(e.name, clamp(e.time_unix_nano // 1000), _attributes(e.attributes)) for e in wire.events],
        [SpanLink(link.trace_id.hex(), link.span_id.hex(), _attributes(link.attributes)) for link in wire.links],
    )


def _attributes(pairs: Iterable[KeyValue]) -> Attributes:
    attributes: Attributes = {}
    for pair in pairs:
        value = pair.value
        # Most attributes are non-empty strings: one access instead of asking which kind it is.
        attributes[pair.key] = value.string_value or _value(value)
    return attributes


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return ""
    if kind == "bool_value":
        return value.bool_value
    if kind == "int_value":
        return value.int_value
    if kind == "double_value":
        return _number(value.double_value)
    if kind == "array_value":
        return [item.string_value or _nested(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return to_json(_nested(value))
    if kind == "bytes_value":
        return to_json(value.bytes_value)
    return None


def _nested(value: AnyValue) -> Any:
    """A value within a list or an object, where objects stay objects."""
    kind = value.WhichOneof("value")
    if kind == "kvlist_value":
        return {pair.key: _nested(pair.value) for pair in value.kvlist_value.values}
    if kind == "array_value":
        return [_nested(item) for item in value.array_value.values]
    return value.bytes_value if kind == "bytes_value" else value.string_value or _value(value)


def _number(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _edges(start_nano: int, end_nano: int, now: int) -> tuple[int, int]:
    start, end = start_nano // 1000, end_nano // 1000
    start, end = start or end or now, end or start or now
    return clamp(start), clamp(max(start, end))


def _resource(attributes: Attributes) -> Resource:
    return Resource(attributes, to_json(attributes))


def _scope(name: str, version: str, attributes: Attributes, has_json_metadata: bool) -> Scope:
    text = to_json({"name": name, "version": version, "attributes": attributes})
    return Scope(name, version, attributes, text, name.startswith(LANGFUSE_SCOPE), has_json_metadata)


def decode_json(body: bytes, *, has_json_metadata: bool = False) -> Iterator[Span]:
    """The spans of an OTLP/JSON export, in order. Raises Undecodable, at any span.

    A field of another kind than the specification says costs that field, not the span.
    """
    now = now_us()
    try:
        for group in groups(body):
            resource = _resource(_json_attributes(_parsed(group.resource).get("attributes")))
            wire = _parsed(group.scope)
            name, version = _text(wire.get("name")), _text(wire.get("version"))
            scope = _scope(name, version, _json_attributes(wire.get("attributes")), has_json_metadata)
            for text in group.spans:
                if not has_too_many_values(text):
                    yield _json_span(_parsed(text), resource, scope, now)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Undecodable(f"The OTLP JSON cannot be read: {error}.") from error
    except PayloadTooLarge as error:
        raise Undecodable(error.message) from error


def _parsed(text: msgspec.Raw) -> dict[str, Any]:
    """What a part of the export says; an empty object when it is missing or something else."""
    if not memoryview(text).nbytes:
        return {}
    try:
        return _object(msgspec.json.decode(text))
    except (msgspec.DecodeError, UnicodeDecodeError):  # a number beyond all bounds, which stays text; broken UTF-8
        mended = bytes(memoryview(text)).decode(errors="replace")
        return _object(json.loads(mended, parse_int=_int_or_text, parse_float=_float_or_text, parse_constant=str))


def _int_or_text(text: str) -> int | str:
    return int(text) if len(text) < 20 else text


def _float_or_text(text: str) -> float | str:
    return number if math.isfinite(number := float(text)) else text


def _json_span(wire: dict[str, Any], resource: Resource, scope: Scope, now: int) -> Span:
    status = _object(wire.get("status"))
    start, end = _edges(_nanos(wire.get("startTimeUnixNano")), _nanos(wire.get("endTimeUnixNano")), now)
    code = status.get("code")
    return Span(
        trace_id := canonical_id(_text(wire.get("traceId"))),
        id := canonical_id(_text(wire.get("spanId"))),
        parent_of(canonical_id(_text(wire.get("parentSpanId"))), id, trace_id),
        _text(wire.get("name")),
        start,
        end,
        _json_attributes(wire.get("attributes")),
        2 if code in (2, "2", "STATUS_CODE_ERROR") else 1 if code in (1, "1", "STATUS_CODE_OK") else 0,
        _text(status.get("message")),
        resource,
        scope,
        [
            SpanEvent(
                _text(event.get("name")),
                clamp(_nanos(event.get("timeUnixNano")) // 1000),
                _json_attributes(event.get("attributes")),
            )
            for event in _objects(wire.get("events"))
        ],
        [
            SpanLink(
                canonical_id(_text(link.get("traceId"))),
                canonical_id(_text(link.get("spanId"))),
                _json_attributes(link.get("attributes")),
            )
            for link in _objects(wire.get("links"))
        ],
    )


def _json_attributes(pairs: Any) -> Attributes:
    return {_text(pair.get("key")): _json_value(pair.get("value")) for pair in _objects(pairs)}


def _json_value(value: Any) -> Any:
    if not isinstance(value, dict):  # written without the name of its kind
        return value if isinstance(value, (str, bool)) or value is None else _json_number(value)
    for kind, inner in value.items():
        if inner is None:
            continue
        if kind == "stringValue":
            return _text(inner)
        if kind == "boolValue":
            return inner if isinstance(inner, bool) else _text(inner)
        if kind == "intValue":
            return _long(inner)
        if kind == "doubleValue":
            return _json_number(inner)
        if kind == "arrayValue":
            return [_json_nested(item) for item in _values(inner)]
        if kind == "kvlistValue":
            return to_json(_json_nested(value))
        return to_json(inner)
    return None


def _json_nested(value: Any) -> Any:
    if not isinstance(value, dict):
        return _json_value(value)
    if (pairs := value.get("kvlistValue")) is not None:
        return {_text(pair.get("key")): _json_nested(pair.get("value")) for pair in _objects(_values(pairs))}
    if (items := value.get("arrayValue")) is not None:
        return [_json_nested(item) for item in _values(items)]
    return _text(value["bytesValue"]) if value.get("bytesValue") is not None else _json_value(value)


def _json_number(value: Any) -> float | int | str:
    if isinstance(value, int):
        return _long(value)
    try:
        return _number(float(value))
    except (TypeError, ValueError):
        return _text(value)


def _long(value: Any) -> int | str:
    """A 64-bit integer as OTLP/JSON writers send it: number, decimal text, or two halves; anything else as text."""
    try:
        if isinstance(value, dict):
            number = (int(value.get("high") or 0) << 32) | (int(value.get("low") or 0) & 0xFFFFFFFF)
        else:
            number = int(value)
    except (TypeError, ValueError, OverflowError):
        return _text(value)
    return number if -_TWO_TO_63 <= number < 2 * _TWO_TO_63 else str(number)


def _nanos(value: Any) -> int:
    """A time; 0, which means missing, for what is none."""
    number = 0 if value is None else _long(value)
    return max(number, 0) if isinstance(number, int) else 0


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    return (item for item in value if isinstance(item, dict)) if isinstance(value, list) else iter(())


def _values(value: Any) -> list[Any]:
    values = _object(value).get("values")
    return values if isinstance(values, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else to_json(value)
