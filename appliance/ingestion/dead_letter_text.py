"""Dead letters as text: the payload as JSON, or its first bytes when it cannot be read."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError

from appliance.errors import ApplianceError
from appliance.ingestion.accept import inflate
from appliance.ingestion.otel.decoding.protobuf import export_of
from appliance.model.queue import Entry

_MOST_BYTES: Final = 256 * 1024 * 1024
_DUMPED_BYTES: Final = 512
_PER_LINE: Final = 16


def dead_letter_text(entry: Entry) -> Any:
    """The body as a JSON value (ids of spans in hexadecimal), or text with a dump of its first 512 bytes."""
    try:
        body = inflate(entry.body, _MOST_BYTES) if entry.encoding == "gzip" else entry.body
    except ApplianceError:
        return hex_dump(entry.body)
    try:
        return _export(body) if entry.kind == "otlp-protobuf" else msgspec.json.decode(body)
    except (DecodeError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return hex_dump(body)


def hex_dump(body: bytes) -> str:
    """The first bytes of a body: offset, hexadecimal, and the characters that can be shown."""
    lines = []
    for start in range(0, min(len(body), _DUMPED_BYTES), _PER_LINE):
        part = body[start : start + _PER_LINE]
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(f"{start:08x}  {part.hex(' '):<47}  {shown}")
    if len(body) > _DUMPED_BYTES:
        lines.append(f"... {len(body)} bytes in all")
    return "\n".join(lines)


def _export(body: bytes) -> dict[str, Any]:
    message = export_of(body)
    export: dict[str, Any] = MessageToDict(message)
    for resource, shown_resource in zip(message.resource_spans, export.get("resourceSpans", ()), strict=True):
        for scope, shown_scope in zip(resource.scope_spans, shown_resource.get("scopeSpans", ()), strict=True):
            for span, shown in zip(scope.spans, shown_scope.get("spans", ()), strict=True):
                ids = {"traceId": span.trace_id, "spanId": span.span_id, "parentSpanId": span.parent_span_id}
                shown |= {name: id.hex() for name, id in ids.items() if id}
    return export
