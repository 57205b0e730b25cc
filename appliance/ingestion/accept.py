"""Checks of a payload before it is accepted: what passes here, the worker can decode."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Counted:
    """How many spans of an export are kept, and how many are not."""

    spans: int
    refused: int = 0
    reason: str = ""
    """Why, in one sentence; empty when none is refused."""
    plain_bytes: int = 0
    """Size of the export after decompression, once known."""


def _counted(found: int, without_ids: int) -> Counted:
    if not without_ids:
        return Counted(found)
    return Counted(found - without_ids, without_ids, "a span has no traceId or spanId")


def count_protobuf_spans(content: bytes) -> Counted:
    """The spans of an OTLP export in protobuf; those without ids are refused. Raises Undecodable when it is none."""
    message = ExportTraceServiceRequest()
    try:
        message.ParseFromString(content)
    except DecodeError as error:
        raise Undecodable("Failed to parse OTel Protobuf Trace") from error
    found = without_ids = 0
    for resource in message.resource_spans:
        for scope in resource.scope_spans:
            found += len(scope.spans)
            without_ids += sum(not span.trace_id or not span.span_id for span in scope.spans)
    return _counted(found, without_ids)


class _JsonSpan(msgspec.Struct, rename="camel"):
    trace_id: str = ""
    span_id: str = ""
    attributes: list[msgspec.Raw] | None = None
    events: list[msgspec.Raw] | None = None


class _JsonScope(msgspec.Struct, rename="camel"):
    spans: list[_JsonSpan] = []


class _JsonResource(msgspec.Struct, rename="camel"):
    scope_spans: list[_JsonScope] = []


class _JsonExport(msgspec.Struct, rename="camel"):
    resource_spans: list[_JsonResource] = []


_json_export = msgspec.json.Decoder(_JsonExport)


def count_json_spans(content: bytes) -> Counted:
    """The spans of an OTLP export in JSON; those without ids are refused. Raises Undecodable when it is none."""
    if not content.strip():
        return Counted(0)
    try:
        export = _json_export.decode(content)
    except msgspec.ValidationError as error:
        raise Undecodable(f"Invalid OTLP trace export: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Undecodable("Failed to parse OTel JSON Trace") from error
    found = without_ids = 0
    for resource in export.resource_spans:
        for scope in resource.scope_spans:
            found += len(scope.spans)
            without_ids += sum(not span.trace_id or not span.span_id for span in scope.spans)
    return _counted(found, without_ids)
