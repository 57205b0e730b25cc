"""OTLP over gRPC: what is queued, and how refusals are told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import grpc
import grpc.aio
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from appliance.config import IngestionSettings, Settings
from appliance.errors import ConfigError, Overloaded, StoreUnavailable
from appliance.web import otlp_grpc
from appliance.web.key_ring import KeyRing
from appliance.web.otlp_grpc import READERS, serving

TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
METRICS = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
KEYS = ("authorization", "Basic cGstbGYtdGVzdDpzay1sZi10ZXN0")
MAX_BODY_BYTES = 100_000


def one_span(name: str = "step") -> ExportTraceServiceRequest:
    export = ExportTraceServiceRequest()
    span = export.resource_spans.add().scope_spans.add().spans.add()
    span.trace_id, span.span_id, span.name = b"t" * 16, b"s" * 8, name
    return export


@pytest.fixture
def context(key_store: Any, stream: Any) -> Any:
    settings = Settings(ingestion=IngestionSettings(max_body_bytes=MAX_BODY_BYTES))
    return SimpleNamespace(settings=settings, keys=KeyRing(key_store), stream=stream, stopping=asyncio.Event())


@pytest.fixture
async def channel(context: Any) -> AsyncIterator[grpc.aio.Channel]:
    async with serving(context, "127.0.0.1", 0) as port, grpc.aio.insecure_channel(f"127.0.0.1:{port}") as found:
        yield found


async def send(channel: grpc.aio.Channel, body: bytes, *metadata: tuple[str, str], path: str = TRACES) -> bytes:
    call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(path)
    return await call(body, metadata=metadata or (KEYS,), timeout=20, compression=grpc.Compression.Gzip)


async def refusal(channel: grpc.aio.Channel, body: bytes, *metadata: tuple[str, str]) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await send(channel, body, *metadata)
    return caught.value


async def test_spans_are_queued_as_those_of_http(channel: grpc.aio.Channel, stream: Any) -> None:
    body = one_span().SerializeToString()
    answer = await send(channel, body, KEYS, ("x-langfuse-sdk-name", "python"), ("x-langfuse-sdk-version", "5"))
    assert ExportTraceServiceResponse.FromString(answer) == ExportTraceServiceResponse()
    (entry,) = stream.entries
    assert (entry.kind, entry.encoding, entry.body, entry.project_id) == ("otlp-protobuf", "", body, "project")
    assert (entry.sdk_name, entry.sdk_version) == ("python", "5")


async def test_spans_without_ids_do_not_cost_the_others(channel: grpc.aio.Channel) -> None:
    export = one_span()
    export.resource_spans[0].scope_spans[0].spans.add().name = "lost"
    partial = ExportTraceServiceResponse.FromString(await send(channel, export.SerializeToString())).partial_success
    assert (partial.rejected_spans, partial.error_message) == (1, "a span has no traceId or spanId")


@pytest.mark.parametrize(
    ("metadata", "body", "code"),
    [
        ((), b"zzz", grpc.StatusCode.INVALID_ARGUMENT),
        ((("x", "y"),), b"", grpc.StatusCode.UNAUTHENTICATED),
        ((("authorization", "Basic cGs6eA=="),), b"", grpc.StatusCode.UNAUTHENTICATED),
        ((("authorization", "Bearer pk-lf-test"),), b"", grpc.StatusCode.PERMISSION_DENIED),
        ((KEYS, ("x-langfuse-ingestion-version", "9")), b"", grpc.StatusCode.INVALID_ARGUMENT),
        ((), one_span("x" * MAX_BODY_BYTES).SerializeToString(), grpc.StatusCode.RESOURCE_EXHAUSTED),
    ],
)
async def test_refusals_have_a_code(
    channel: grpc.aio.Channel, stream: Any, metadata: tuple[tuple[str, str], ...], body: bytes, code: grpc.StatusCode
) -> None:
    error = await refusal(channel, body, *metadata)
    assert (error.code(), stream.entries) == (code, [])
    assert error.details()


@pytest.mark.parametrize(
    ("failure", "seconds"), [(Overloaded("The backlog is full.", retry_after_s=7), 7), (StoreUnavailable("Gone."), 2)]
)
async def test_an_overload_says_when_to_come_back(
    channel: grpc.aio.Channel, stream: Any, failure: Exception, seconds: int
) -> None:
    stream.failure = failure
    error = await refusal(channel, one_span().SerializeToString())
    assert error.code() == grpc.StatusCode.UNAVAILABLE
    trailers = dict(list(error.trailing_metadata() or ()))
    status = Status.FromString(bytes(trailers["grpc-status-details-bin"]))
    info = RetryInfo()
    assert status.details[0].Unpack(info)
    assert info.retry_delay.seconds == seconds


async def test_a_message_that_comes_too_slowly_may_be_sent_again(
    channel: grpc.aio.Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otlp_grpc, "_READ_S", 0.05)
    call: grpc.aio.StreamUnaryMultiCallable[bytes, bytes] = channel.stream_unary(TRACES)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(never(), metadata=(KEYS,), timeout=20)
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert "No whole message" in str(caught.value.details())


OTHER_KEYS = ("authorization", "Basic cGstbGYtb3RoZXI6c2stbGYtb3RoZXI=")


async def silent_calls(
    channel: grpc.aio.Channel, count: int, monkeypatch: pytest.MonkeyPatch
) -> list[grpc.aio.StreamUnaryCall[bytes, bytes]]:
    """Calls that send nothing, once the server has begun to wait for their messages."""
    waiting, all_wait = 0, asyncio.Event()
    read = otlp_grpc._read

    async def counted(call: Any) -> bytes:
        nonlocal waiting
        waiting += 1
        if waiting == count:
            all_wait.set()
        return await read(call)

    monkeypatch.setattr(otlp_grpc, "_read", counted)
    method: grpc.aio.StreamUnaryMultiCallable[bytes, bytes] = channel.stream_unary(TRACES)
    calls = [method(never(), metadata=(KEYS,), timeout=30) for _ in range(count)]
    async with asyncio.timeout(20):
        await all_wait.wait()
    return calls


async def test_calls_that_send_nothing_hold_up_no_other_project(
    channel: grpc.aio.Channel, stream: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otlp_grpc, "PROMPT_S", 1_000.0)
    calls = await silent_calls(channel, READERS, monkeypatch)
    await send(channel, one_span().SerializeToString(), OTHER_KEYS)
    assert [entry.project_id for entry in stream.entries] == ["other"]
    for call in calls:
        call.cancel()


async def test_calls_that_send_nothing_give_their_places_to_those_that_do(
    channel: grpc.aio.Channel, stream: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otlp_grpc, "PROMPT_S", 0.01)
    calls = await silent_calls(channel, 2 * READERS, monkeypatch)
    await send(channel, one_span().SerializeToString())
    assert len(stream.entries) == 1
    for call in calls:
        call.cancel()


async def test_only_some_silent_calls_are_waited_for(
    channel: grpc.aio.Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otlp_grpc, "PROMPT_S", 0.01)
    monkeypatch.setattr(otlp_grpc, "MOST_LATE", 2)
    first, second, third = await silent_calls(channel, 3, monkeypatch)
    done, _ = await asyncio.wait(
        {asyncio.ensure_future(call.code()) for call in (first, second, third)}, return_when=asyncio.FIRST_COMPLETED
    )
    assert [each.result() for each in done] == [grpc.StatusCode.DEADLINE_EXCEEDED]
    for call in (first, second, third):
        call.cancel()


@pytest.mark.parametrize(("large", "most"), [(1_000, READERS), (1_000_000, 2 * READERS)])
async def test_few_large_messages_are_in_memory_at_one_time(
    channel: grpc.aio.Channel, stream: Any, monkeypatch: pytest.MonkeyPatch, large: int, most: int
) -> None:
    monkeypatch.setattr(otlp_grpc, "LARGE_MESSAGE_BYTES", large)
    count = most_at_once = 0
    one_more_than_may_be = asyncio.Event()

    async def append(_entry: object) -> None:
        nonlocal count, most_at_once
        count += 1
        most_at_once = max(most_at_once, count)
        if count > READERS:
            one_more_than_may_be.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(one_more_than_may_be.wait(), 0.3)
        while one_more_than_may_be.is_set() and most_at_once < 2 * READERS:
            await asyncio.sleep(0.01)
        count -= 1

    monkeypatch.setattr(stream, "append", append)
    body = one_span("x" * 2_000).SerializeToString()
    async with asyncio.timeout(20):
        await asyncio.gather(*(send(channel, body) for _ in range(2 * READERS)))
    assert most_at_once == most


async def never() -> AsyncIterator[bytes]:
    await asyncio.Event().wait()
    yield b""


async def test_metrics_are_taken_and_dropped(channel: grpc.aio.Channel, stream: Any) -> None:
    assert (await send(channel, b"anything", path=METRICS), stream.entries) == (b"", [])


async def test_a_taken_port_is_told(context: Any) -> None:
    async with serving(context, "127.0.0.1", 0) as port:
        with pytest.raises(ConfigError, match="taken"):
            async with serving(context, "127.0.0.1", port):
                pass


async def test_it_stops_when_the_web_server_is_told_to(context: Any, channel: grpc.aio.Channel, stream: Any) -> None:
    # gRPC cancels a call that had arrived but was not begun yet; exporters send it again as they do when none listens.
    to_be_sent_again = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
    answered = 1
    await send(channel, one_span().SerializeToString())
    context.stopping.set()
    error = grpc.StatusCode.OK
    while error == grpc.StatusCode.OK:
        try:
            await send(channel, one_span().SerializeToString())
            answered += 1
        except grpc.aio.AioRpcError as found:
            error = found.code()
    assert (error in to_be_sent_again, len(stream.entries)) == (True, answered)
