"""Checks of a payload before it is accepted: what passes here, the worker can decode."""

from __future__ import annotations

import zlib

import msgspec
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from appliance.errors import PayloadTooLarge, Undecodable

_GZIP_WINDOW = 31


def inflate(content: bytes, limit: int) -> bytes:
    """The content of a gzip stream of one or more members.

    Raises PayloadTooLarge beyond `limit` bytes, without inflating more, and Undecodable for anything but whole gzip.
    """
    parts: list[bytes] = []
    size = 0
    rest = content
    while rest:
        member = zlib.decompressobj(_GZIP_WINDOW)
        try:
            part = member.decompress(rest, limit - size + 1)
        except zlib.error as error:
            raise Undecodable("Failed to decompress request body") from error
        size += len(part)
        if size > limit:
            raise PayloadTooLarge(f"The request body is larger than {limit} bytes after decompression.")
        if not member.eof:
            raise Undecodable("Failed to decompress request body")
        parts.append(part)
        rest = member.unused_data
    return parts[0] if len(parts) == 1 else b"".join(parts)


def count_protobuf_spans(content: bytes) -> int:
    """How many spans an OTLP trace export in protobuf holds.

    Raises Undecodable when it is none, or when a span has no ids.
    """
    message = ExportTraceServiceRequest()
    try:
        message.ParseFromString(content)
    except DecodeError as error:
        raise Undecodable("Failed to parse OTel Protobuf Trace") from error
    count = 0
    for resource in message.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                if not span.trace_id or not span.span_id:
                    raise Undecodable("Invalid OTLP trace export: a span has no traceId or spanId")
            count += len(scope.spans)
    return count


class _JsonSpan(msgspec.Struct, rename="camel"):
    trace_id: str
    span_id: str
    attributes: list[msgspec.Raw] | None = None
    events: list[msgspec.Raw] | None = None


class _JsonScope(msgspec.Struct, rename="camel"):
    spans: list[_JsonSpan] = []


class _JsonResource(msgspec.Struct, rename="camel"):
    scope_spans: list[_JsonScope] = []


class _JsonExport(msgspec.Struct, rename="camel"):
    resource_spans: list[_JsonResource] = []


_json_export = msgspec.json.Decoder(_JsonExport)


def count_json_spans(content: bytes) -> int:
    """How many spans an OTLP trace export in JSON holds; raises Undecodable when it is none."""
    if not content.strip():
        return 0
    try:
        export = _json_export.decode(content)
    except msgspec.ValidationError as error:
        raise Undecodable(f"Invalid OTLP trace export: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Undecodable("Failed to parse OTel JSON Trace") from error
    count = 0
    for resource in export.resource_spans:
        for scope in resource.scope_spans:
            if any(not span.trace_id or not span.span_id for span in scope.spans):
                raise Undecodable("Invalid OTLP trace export: a span has no traceId or spanId")
            count += len(scope.spans)
    return count
