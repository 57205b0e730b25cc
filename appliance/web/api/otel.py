"""OTLP over HTTP: spans are queued, metrics and logs are taken and dropped.

Below `/v1` the answers are OTLP's own, in the form that was sent; on Langfuse's path they are Langfuse's, in JSON
(contract: 4.1).
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from appliance.errors import RequestError, StoreUnavailable, Undecodable
from appliance.ingestion.accept import Counted
from appliance.web.auth import authorize
from appliance.web.bodies import read_body
from appliance.web.errors import request_error, store_unavailable
from appliance.web.memory_budget import charge_of
from appliance.web.otlp import Export, OtlpKind, accept, check_version
from appliance.web.responses import json_response
from appliance.web.sdk import sdk_of
from appliance.web.state import context_of

PROTOBUF: Final = "application/x-protobuf"

GRPC_CODES: Final = {400: 3, 401: 16, 403: 7, 404: 5, 408: 4, 413: 8, 415: 3, 429: 8, 503: 14}
"""Codes of google.rpc.Code by HTTP status; what is missing is INTERNAL."""

Handler = Callable[[Request], Awaitable[Response]]


def _answers_as_otlp(handler: Handler) -> Handler:
    @functools.wraps(handler)
    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except Undecodable as error:
            return _refusal(request, json_response({"error": error.message}, 400))
        except ClientDisconnect:
            return _refusal(request, json_response({"error": "Failed to read request body"}, 400))
        except RequestError as error:
            return _refusal(request, request_error(request, error))
        except StoreUnavailable as error:
            return _refusal(request, store_unavailable(request, error))

    return answer


@_answers_as_otlp
async def export_traces(request: Request) -> Response:
    """Accept an export of spans: 200 once it is stored durably, with the number of refused spans if there are any."""
    auth = await authorize(request)
    context = context_of(request)
    await context.stream.require_capacity()
    kind = _kind(request.headers.get("content-type", ""))
    check_version(request.headers.get("x-langfuse-ingestion-version"))
    export = Export(
        kind=kind,
        body=await read_body(request, context.settings.ingestion.max_body_bytes),
        is_gzip=_is_gzip(request.headers.get("content-encoding", "")),
        charge=charge_of(request.scope),
        sdk=sdk_of(request.headers),
    )
    return _success(request, await accept(context, auth.project_id, export))


@_answers_as_otlp
async def drop_export(request: Request) -> Response:
    """Accept metrics and logs, which are not stored: exporters that send them must not fail."""
    await authorize(request)
    if not _is_plain_otlp(request):
        return json_response({"message": "OK"})
    return Response(b"", media_type=PROTOBUF) if _is_protobuf(request) else json_response({})


def _kind(content_type: str) -> OtlpKind:
    if PROTOBUF in content_type.lower():
        return "otlp-protobuf"
    if "application/json" in content_type.lower():
        return "otlp-json"
    raise Undecodable("Invalid content type")


def _is_gzip(encoding: str) -> bool:
    named = encoding.strip().lower()
    if "gzip" in named:
        return True
    if named in ("", "identity"):
        return False
    raise Undecodable(f"Unsupported content-encoding: {named[:40]}. Send gzip, or no compression.")


def _is_protobuf(request: Request) -> bool:
    return PROTOBUF in request.headers.get("content-type", "").lower()


def _is_plain_otlp(request: Request) -> bool:
    return bool(request.scope["path"].startswith("/v1/"))


def _success(request: Request, counted: Counted) -> Response:
    if _is_plain_otlp(request) and _is_protobuf(request):
        answer = ExportTraceServiceResponse()
        if counted.refused:
            answer.partial_success.rejected_spans = counted.refused
            answer.partial_success.error_message = counted.reason
        return Response(answer.SerializeToString(), media_type=PROTOBUF)
    if not counted.refused:
        return json_response({})
    return json_response({"partialSuccess": {"rejectedSpans": str(counted.refused), "errorMessage": counted.reason}})


def _refusal(request: Request, plain: Response) -> Response:
    """A refusal as it is on Langfuse's path, else as google.rpc.Status."""
    if not _is_plain_otlp(request):
        return plain
    body: dict[str, Any] = msgspec.json.decode(plain.body)
    status = Status(
        code=GRPC_CODES.get(plain.status_code, 13),
        message=str(body.get("message") or body.get("error")),
    )
    headers = {name: value for name, value in plain.headers.items() if name == "retry-after"}
    if _is_protobuf(request):
        return Response(status.SerializeToString(), plain.status_code, headers, media_type=PROTOBUF)
    return json_response({"code": status.code, "message": status.message}, plain.status_code, headers)


ROUTES = [
    Route("/api/public/otel/v1/traces", export_traces, methods=["POST"]),
    Route("/v1/traces", export_traces, methods=["POST"]),
    Route("/api/public/otel/v1/metrics", drop_export, methods=["POST"]),
    Route("/v1/metrics", drop_export, methods=["POST"]),
    Route("/v1/logs", drop_export, methods=["POST"]),
]
