"""Exports of spans over HTTP or gRPC: checked, counted, and queued as they were sent."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from typing import Final, Literal

from appliance.errors import Undecodable
from appliance.ingestion.accept import Counted, count_json_spans, count_protobuf_spans, inflate
from appliance.model.queue import Entry
from appliance.web.bodies import off_loop, without_lone_surrogates
from appliance.web.context import Context
from appliance.web.memory_budget import MemoryCharge

NEWEST_INGESTION_VERSION: Final = 4

_BYTES_PER_OBJECT = 100
"""Bytes that one object of a JSON export takes at most while its spans are counted; most are never created."""

OtlpKind = Literal["otlp-protobuf", "otlp-json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One export request as it was received."""

    kind: OtlpKind
    body: bytes
    is_gzip: bool
    charge: MemoryCharge
    sdk: tuple[str, str] = ("", "")
    """Name and version."""


def check_version(text: str | None) -> None:
    """Raises Undecodable for an `x-langfuse-ingestion-version` that is newer than this server, or not a number."""
    if text is None:
        return
    try:
        supported = int(text) <= NEWEST_INGESTION_VERSION
    except ValueError:
        supported = False
    if not supported:
        raise Undecodable(f"Unsupported x-langfuse-ingestion-version: {text}")


async def accept(context: Context, project_id: str, export: Export) -> Counted:
    """Queue an export; when this returns, it is stored durably.

    Spans that cannot be kept are counted as refused and left out; when all are, the export is.
    Raises Undecodable, PayloadTooLarge, Overloaded and StoreUnavailable, and then nothing is kept.
    """
    limit = context.settings.ingestion.max_body_bytes
    body, is_gzip = export.body, export.is_gzip
    try:
        counted: Counted = await off_loop(len(body), _count, export.kind, is_gzip, body, limit, export.charge)
    except Undecodable:
        if export.kind != "otlp-json":
            raise
        body, is_gzip = await off_loop(len(body), _repaired, is_gzip, body, limit, export.charge), False
        counted = await off_loop(len(body), _count, export.kind, is_gzip, body, limit, export.charge)
    if counted.refused and not counted.spans:
        raise Undecodable(f"Invalid OTLP trace export: {counted.reason}")
    if counted.spans:
        name, version = export.sdk
        entry = Entry(
            kind=export.kind,
            project_id=project_id,
            encoding="gzip" if is_gzip else "",
            accepted_at=time.time_ns() // 1000,
            sdk_name=name,
            sdk_version=version,
            items=counted.spans,
            plain_bytes=counted.plain_bytes,
            body=body,
        )
        await context.stream.append(entry)
    return counted


def _repaired(is_gzip: bool, body: bytes, limit: int, charge: MemoryCharge) -> bytes:
    content = inflate(body, limit, charge.take) if is_gzip else body
    charge.take(2 * len(content))
    return without_lone_surrogates(content)


def _count(kind: OtlpKind, is_gzip: bool, body: bytes, limit: int, charge: MemoryCharge) -> Counted:
    content = inflate(body, limit, charge.take) if is_gzip else body
    if kind == "otlp-protobuf":
        counted = count_protobuf_spans(content)
    else:
        charge.take(_BYTES_PER_OBJECT * content.count(b"{"))
        counted = count_json_spans(content)
    return dataclasses.replace(counted, plain_bytes=len(content))
