"""Checks of a payload before it is accepted; the worker can decode what passes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import msgspec
from google.protobuf.message import DecodeError
from isal import isal_zlib  # inflates at twice the speed of zlib

from appliance.errors import PayloadTooLarge, Undecodable
from appliance.ingestion.otel.decoding.json_shape import groups, has_too_many_values
from appliance.ingestion.otel.decoding.protobuf import export_of
from appliance.ingestion.otel.decoding.wire import MOST_SPANS, chunks

_GZIP_WINDOW = 31
_GZIP_ERROR = cast(type[Exception], isal_zlib.error)
_STEP_BYTES = 64 * 1024
_MOST_MEMBERS = 10_000


def inflate(content: bytes, limit: int, take: Callable[[int], None] = lambda size: None) -> bytes:
    """The content of a gzip stream of one or more members.

    `take` is called with the bytes of memory that each step needs, before they are used, and may raise.
    Raises PayloadTooLarge beyond `limit` bytes, without inflating more, and Undecodable for incomplete or invalid gzip.
    """
    parts: list[bytes] = []
    size = position = members = 0
    while position < len(content):
        member = isal_zlib.decompressobj(_GZIP_WINDOW)
        members += 1
        while not member.eof:
            chunk = content[position : position + _STEP_BYTES]
            if not chunk or members > _MOST_MEMBERS:
                raise Undecodable("Failed to decompress request body")
            try:
                part = member.decompress(chunk, _STEP_BYTES)
            except _GZIP_ERROR as error:
                raise Undecodable("Failed to decompress request body") from error
            position += len(chunk) - len(member.unused_data) - len(member.unconsumed_tail)
            size += len(part)
            if size > limit:
                raise PayloadTooLarge(f"The request body is larger than {limit} bytes after decompression.")
            take(2 * len(part))  # for the parts, and for all of them joined
            parts.append(part)
    return b"".join(parts)


@dataclass(frozen=True, slots=True)
class Counted:
    """How many spans of an export are kept, and how many are not."""

    spans: int
    refused: int = 0
    reason: str = ""
    """Why, in one sentence; empty when none is refused."""
    plain_bytes: int = 0
    """Size of the export after decompression, once known."""


def count_protobuf_spans(content: bytes) -> Counted:
    """Count the spans of an OTLP export in protobuf; some may be refused.

    Raises Undecodable for an invalid export, PayloadTooLarge for one with too many spans.
    """
    spans = without_ids = too_large = 0
    for chunk in chunks(content):
        if chunk is None:
            too_large += 1
            continue
        try:
            message = export_of(chunk)
        except DecodeError as error:
            raise Undecodable("Failed to parse OTel Protobuf Trace") from error
        for resource in message.resource_spans:
            for scope in resource.scope_spans:
                spans += len(scope.spans)
                without_ids += sum(not span.trace_id or not span.span_id for span in scope.spans)
    return _counted(spans + too_large, without_ids, too_large)


def count_items(kind: str, content: bytes) -> int:
    """The number of spans or events in a body of this kind; 0 when it cannot be read."""
    try:
        if kind == "otlp-protobuf":
            return count_protobuf_spans(content).spans
        if kind == "otlp-json":
            return count_json_spans(content).spans
        return len(_events.decode(content))
    except (Undecodable, PayloadTooLarge, msgspec.DecodeError, UnicodeDecodeError):
        return 0


_events = msgspec.json.Decoder(list[msgspec.Raw])


class _JsonSpan(msgspec.Struct, rename="camel"):
    trace_id: str = ""
    span_id: str = ""
    attributes: msgspec.Raw = msgspec.Raw()
    events: msgspec.Raw = msgspec.Raw()


_json_span = msgspec.json.Decoder(_JsonSpan)


def count_json_spans(content: bytes) -> Counted:
    """Count the spans of an OTLP export in JSON; some may be refused.

    Raises Undecodable for an invalid export, PayloadTooLarge for one with too many spans.
    """
    if not content.strip():
        return Counted(0)
    spans = without_ids = too_large = 0
    for group in groups(content):
        spans += len(group.spans)
        for text in group.spans:
            try:
                span = _json_span.decode(text)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise Undecodable(f"Invalid OTLP trace export: {error}") from error
            if not _is_list(span.attributes) or not _is_list(span.events):
                raise Undecodable("Invalid OTLP trace export: attributes and events must be lists")
            if has_too_many_values(text):
                too_large += 1
            elif not span.trace_id or not span.span_id:
                without_ids += 1
    return _counted(spans, without_ids, too_large)


def _is_list(text: msgspec.Raw) -> bool:
    return bytes(memoryview(text)[:1]) in (b"[", b"", b"n")  # n: null


def _counted(spans: int, without_ids: int, too_large: int) -> Counted:
    reasons = []
    if without_ids:
        reasons.append("a span has no traceId or spanId")
    if too_large:
        reasons.append(f"a span has more than {MOST_SPANS} values")
    refused = without_ids + too_large
    return Counted(spans - refused, refused, "; ".join(reasons))
