"""POST /otel/v1/traces: what is queued, and what is refused."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from appliance.errors import Overloaded

BASIC = ("pk-lf-test", "sk-lf-test")
TRACES = "/api/public/otel/v1/traces"
PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json; charset=utf-8"}
ONE_JSON_SPAN = b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"ab","spanId":"cd"}]}]}]}'


def one_span() -> bytes:
    export = ExportTraceServiceRequest()
    span = export.resource_spans.add().scope_spans.add().spans.add()
    span.trace_id, span.span_id, span.name = b"t" * 16, b"s" * 8, "step"
    return export.SerializeToString()


async def test_protobuf_is_queued_as_it_came(client: httpx.AsyncClient, stream: Any) -> None:
    body = gzip.compress(one_span())
    headers = {**PROTOBUF, "Content-Encoding": "GZIP", "x-langfuse-sdk-name": "python", "x_langfuse_sdk_version": "4"}
    answer = await client.post(TRACES, content=body, headers=headers)
    assert (answer.status_code, answer.json()) == (200, {})
    (entry,) = stream.entries
    assert (entry.kind, entry.encoding, entry.body, entry.project_id) == ("otlp-protobuf", "gzip", body, "project")
    assert (entry.sdk_name, entry.sdk_version) == ("python", "4")


async def test_chunked_json_is_queued(client: httpx.AsyncClient, stream: Any) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield ONE_JSON_SPAN[:20]
        yield ONE_JSON_SPAN[20:]

    assert (await client.post(TRACES, content=chunks(), headers=JSON)).status_code == 200
    assert [(entry.kind, entry.body) for entry in stream.entries] == [("otlp-json", ONE_JSON_SPAN)]


@pytest.mark.parametrize(("headers", "body"), [(PROTOBUF, b""), (JSON, b"{}"), (JSON, b'{"resourceSpans":[]}')])
async def test_an_empty_export_is_fine(
    client: httpx.AsyncClient, stream: Any, headers: dict[str, str], body: bytes
) -> None:
    answer = await client.post(TRACES, content=body, headers=headers)
    assert (answer.status_code, answer.json(), stream.entries) == (200, {}, [])


@pytest.mark.parametrize(
    ("headers", "body", "message"),
    [
        ({"Content-Type": "text/plain"}, b"", "Invalid content type"),
        (PROTOBUF, b"zzz", "Failed to parse OTel Protobuf Trace"),
        (JSON, b"{", "Failed to parse OTel JSON Trace"),
        (JSON, b"\xff", "Failed to parse OTel JSON Trace"),
        ({**PROTOBUF, "Content-Encoding": "gzip"}, b"zzz", "Failed to decompress request body"),
        ({**PROTOBUF, "Content-Encoding": "gzip"}, gzip.compress(b"a")[:-4], "Failed to decompress request body"),
        ({**JSON, "x-langfuse-ingestion-version": "5"}, b"{}", "Unsupported x-langfuse-ingestion-version: 5"),
        ({**JSON, "x-langfuse-ingestion-version": "x"}, b"{}", "Unsupported x-langfuse-ingestion-version: x"),
    ],
)
async def test_malformed_exports_are_refused(
    client: httpx.AsyncClient, stream: Any, headers: dict[str, str], body: bytes, message: str
) -> None:
    answer = await client.post(TRACES, content=body, headers=headers)
    assert (answer.status_code, answer.json(), stream.entries) == (400, {"error": message}, [])


@pytest.mark.parametrize(
    "body",
    [
        b'{"resourceSpans":{}}',
        b'{"resourceSpans":[{"scopeSpans":[{"spans":{}}]}]}',
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"spanId":"a"}]}]}]}',
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":1,"spanId":"a"}]}]}]}',
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"","spanId":"a"}]}]}]}',
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"a","spanId":"a","attributes":{}}]}]}]}',
    ],
)
async def test_exports_of_another_shape_are_refused(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post(TRACES, content=body, headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("Invalid OTLP trace export: ")


async def test_large_bodies_are_refused_before_and_after_inflating(client: httpx.AsyncClient) -> None:
    assert (await client.post(TRACES, content=b"x" * 100_001, headers=JSON)).status_code == 413
    bomb = gzip.compress(b"\0" * 10_000_000)
    headers = {**JSON, "Content-Encoding": "gzip"}
    assert (await client.post(TRACES, content=bomb, headers=headers)).status_code == 413


async def test_wrong_keys_are_refused_before_anything_is_read(client: httpx.AsyncClient) -> None:
    answer = await client.post(TRACES, content=b"zzz", auth=("pk-test-project2", "sk"), headers=PROTOBUF)
    assert answer.status_code == 401


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
async def test_half_an_emoji_does_not_cost_the_export(client: httpx.AsyncClient, stream: Any, pack: Any) -> None:
    body = rb'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"a","spanId":"b","name":"\ud83d x"}]}]}]}'
    headers = {**JSON, "Content-Encoding": "gzip"} if pack is gzip.compress else JSON
    assert (await client.post(TRACES, content=pack(body), headers=headers)).status_code == 200
    (entry,) = stream.entries
    assert (entry.encoding, entry.body) == ("", body.replace(rb"\ud83d", rb"\ufffd"))


async def test_a_plain_exporter_is_answered_in_protobuf(client: httpx.AsyncClient, stream: Any) -> None:
    answer = await client.post("/v1/traces", content=one_span(), headers=PROTOBUF)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/x-protobuf")
    assert ExportTraceServiceResponse.FromString(answer.content) == ExportTraceServiceResponse()
    assert [entry.kind for entry in stream.entries] == ["otlp-protobuf"]


async def test_a_plain_exporter_is_answered_in_json(client: httpx.AsyncClient, stream: Any) -> None:
    answer = await client.post("/v1/traces", content=ONE_JSON_SPAN, headers=JSON)
    assert (answer.status_code, answer.json(), len(stream.entries)) == (200, {}, 1)


async def test_spans_without_ids_do_not_cost_the_others(client: httpx.AsyncClient, stream: Any) -> None:
    export = ExportTraceServiceRequest.FromString(one_span())
    export.resource_spans[0].scope_spans[0].spans.add().name = "lost"
    answer = await client.post("/v1/traces", content=export.SerializeToString(), headers=PROTOBUF)
    partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert (answer.status_code, partial.rejected_spans) == (200, 1)
    assert partial.error_message == "a span has no traceId or spanId"
    body = ONE_JSON_SPAN.replace(b'"spans":[', b'"spans":[{"name":"lost"},')
    told = (await client.post(TRACES, content=body, headers=JSON)).json()
    assert told == {"partialSuccess": {"rejectedSpans": "1", "errorMessage": "a span has no traceId or spanId"}}
    assert len(stream.entries) == 2


@pytest.mark.parametrize(
    ("headers", "body", "status", "code"),
    [
        (PROTOBUF, b"zzz", 400, 3),
        ({**PROTOBUF, "Authorization": "Basic cGs6eA=="}, b"", 401, 16),
        ({**PROTOBUF, "Authorization": "Bearer pk-lf-test"}, b"", 403, 7),
        (PROTOBUF, b"x" * 100_001, 413, 8),
        ({**PROTOBUF, "Content-Encoding": "zstd"}, b"x", 400, 3),
    ],
)
async def test_a_refusal_is_a_status(
    client: httpx.AsyncClient, headers: dict[str, str], body: bytes, status: int, code: int
) -> None:
    auth = httpx.Auth() if "Authorization" in headers else httpx.BasicAuth(*BASIC)
    answer = await client.post("/v1/traces", content=body, headers=headers, auth=auth)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/x-protobuf")
    told = Status.FromString(answer.content)
    assert told.code == code
    assert told.message


async def test_a_refusal_of_json_is_a_status_in_json(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/traces", content=b"{", headers=JSON)
    assert (answer.status_code, answer.json()) == (400, {"code": 3, "message": "Failed to parse OTel JSON Trace"})


async def test_an_overload_says_when_to_come_back(client: httpx.AsyncClient, stream: Any) -> None:
    stream.failure = Overloaded("The backlog is full.", retry_after_s=7)
    answer = await client.post("/v1/traces", content=one_span(), headers=PROTOBUF)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
    assert Status.FromString(answer.content).code == 14


@pytest.mark.parametrize("path", ["/v1/metrics", "/v1/logs"])
async def test_metrics_and_logs_are_taken_and_dropped(client: httpx.AsyncClient, stream: Any, path: str) -> None:
    answer = await client.post(path, content=b"anything", headers=PROTOBUF)
    assert (answer.status_code, answer.content, stream.entries) == (200, b"", [])
