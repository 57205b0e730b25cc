"""OTLP over HTTP: traces are checked and queued as they came, metrics are taken and dropped (contract: 4.1)."""

from __future__ import annotations

import time
from typing import Literal

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from appliance.errors import Undecodable
from appliance.ingestion.accept import count_json_spans, count_protobuf_spans, inflate
from appliance.storage.redis.ingest_stream import Entry
from appliance.web.auth import Auth, authorize
from appliance.web.bodies import off_loop, read_body, without_lone_surrogates
from appliance.web.responses import json_response
from appliance.web.sdk import sdk_of

_NEWEST_INGESTION_VERSION = 4

OtlpKind = Literal["otlp-protobuf", "otlp-json"]


async def export_traces(request: Request) -> Response:
    """Accept an export of spans: 200 `{}` once it is stored durably."""
    auth = await authorize(request)
    await request.app.state.context.stream.require_room()
    try:
        return await _accept(request, auth)
    except Undecodable as error:
        return json_response({"error": error.message}, 400)
    except ClientDisconnect:
        return json_response({"error": "Failed to read request body"}, 400)


async def export_metrics(request: Request) -> Response:
    """Metrics are not kept; exporters that are set up to send them must not fail."""
    await authorize(request)
    return json_response({"message": "OK"})


async def _accept(request: Request, auth: Auth) -> Response:
    kind = _kind(request.headers.get("content-type", ""))
    _check_version(request.headers.get("x-langfuse-ingestion-version"))
    context = request.app.state.context
    limit = context.settings.ingestion.max_body_bytes
    body = await read_body(request, limit)
    is_gzip = "gzip" in request.headers.get("content-encoding", "").lower()
    try:
        spans = await off_loop(len(body), _count_spans, kind, is_gzip, body, limit)
    except Undecodable:
        if kind != "otlp-json":
            raise
        body, is_gzip = await off_loop(len(body), _mended, is_gzip, body, limit), False
        spans = await off_loop(len(body), _count_spans, kind, is_gzip, body, limit)
    if spans:
        name, version = sdk_of(request)
        entry = Entry(
            kind=kind,
            project_id=auth.project_id,
            encoding="gzip" if is_gzip else "",
            accepted_at=time.time_ns() // 1000,
            sdk_name=name,
            sdk_version=version,
            body=body,
        )
        await context.stream.append(entry)
    return json_response({})


def _kind(content_type: str) -> OtlpKind:
    if "application/x-protobuf" in content_type.lower():
        return "otlp-protobuf"
    if "application/json" in content_type.lower():
        return "otlp-json"
    raise Undecodable("Invalid content type")


def _check_version(text: str | None) -> None:
    if text is None:
        return
    try:
        supported = int(text) <= _NEWEST_INGESTION_VERSION
    except ValueError:
        supported = False
    if not supported:
        raise Undecodable(f"Unsupported x-langfuse-ingestion-version: {text}")


def _mended(is_gzip: bool, body: bytes, limit: int) -> bytes:
    return without_lone_surrogates(inflate(body, limit) if is_gzip else body)


def _count_spans(kind: OtlpKind, is_gzip: bool, body: bytes, limit: int) -> int:
    content = inflate(body, limit) if is_gzip else body
    return count_protobuf_spans(content) if kind == "otlp-protobuf" else count_json_spans(content)


routes = [
    Route("/api/public/otel/v1/traces", export_traces, methods=["POST"]),
    Route("/api/public/otel/v1/metrics", export_metrics, methods=["POST"]),
]
