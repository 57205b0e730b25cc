"""Hostile requests against a running appliance: what each is answered, and how far web's and the worker's memory goes.

`python -m tests.benchmarks.edge_memory [URL PUBLIC_KEY SECRET_KEY WEB_PID WORKER_PID GRPC_PORT [NAME]]`; without
arguments it starts an appliance of its own; NAME is a part of the names of what to do. The exit code is 1 when web
passed its bound, or anything was answered with 500.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import socket
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

import grpc
import grpc.aio
import httpx
import psutil
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.acceptance.appliance_process import new_appliance

MIB = 1024 * 1024
WEB_BOUND_MIB = 900
"""LANGFUSE_LOCAL_MAX_INFLIGHT_BYTES (384 MiB), messages that gRPC receives (64 MiB), what web needs by itself (100),
parts of bodies that wait in sockets, and what the allocator keeps."""

PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}
GZIP = {"Content-Encoding": "gzip"}
TRACES = "/v1/traces"
GRPC_METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


@dataclass(frozen=True)
class Target:
    """An appliance."""

    url: str
    keys: tuple[str, str]
    web: psutil.Process
    worker: psutil.Process
    grpc_port: int


class Peak:
    """The most memory that two processes had while the block ran, MiB."""

    def __init__(self, target: Target) -> None:
        self._processes = (target.web, target.worker)
        self.web = self.worker = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.02):
            web, worker = (process.memory_info().rss // MIB for process in self._processes)
            self.web, self.worker = max(self.web, web), max(self.worker, worker)


Answers = Counter[str]
Attack = Callable[[Target], Awaitable[Answers]]


def export(spans: int = 1, text: str = "", attributes: int = 0) -> bytes:
    """A serialised export of spans with one attribute of `text`, or with many empty ones."""
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for number in range(spans):
        span = scope.spans.add(name=f"s{number}", start_time_unix_nano=time.time_ns())
        span.trace_id, span.span_id = number.to_bytes(16, "big")[:15] + b"x", (number + 1).to_bytes(8, "big")
        if text:
            span.attributes.add(key="input.value").value.string_value = text
        for _ in range(attributes):
            span.attributes.add()
    return request.SerializeToString()


def nested(field: bytes, times: int) -> bytes:
    """An export whose one scope holds `times` empty messages of a field."""
    scope = field * times
    inner = b"\x12" + varint(len(scope)) + scope
    return b"\x0a" + varint(len(inner)) + inner


def varint(value: int) -> bytes:
    """The length of a field as it stands on the wire."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def json_spans(spans: bytes) -> bytes:
    """An OTLP/JSON export around the text of its spans."""
    return b'{"resourceSpans":[{"scopeSpans":[{"spans":[' + spans + b"]}]}]}"


async def post(
    target: Target, body: bytes | AsyncIterator[bytes], headers: dict[str, str], path: str = TRACES
) -> Answers:
    """One request's answer."""
    async with httpx.AsyncClient(base_url=target.url, auth=target.keys, timeout=180) as client:
        try:
            answer = await client.post(path, content=body, headers=headers)
        except httpx.TransportError as error:
            return Counter([type(error).__name__])
        return Counter([str(answer.status_code)])


def once(body: Callable[[], bytes], headers: dict[str, str], path: str = TRACES) -> Attack:
    """An attack of one request."""

    async def attack(target: Target) -> Answers:
        return await post(target, body(), headers, path)

    return attack


async def chunked(target: Target) -> Answers:
    """80 MB in chunks, without a length."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(80):
            yield b"x" * 1_000_000

    return await post(target, chunks(), PROTOBUF)


async def two_hundred_uploads(target: Target) -> Answers:
    """200 uploads of 20 MB at one time."""
    body = export(text="x" * 20_000_000)
    found = await asyncio.gather(*(post(target, body, PROTOBUF) for _ in range(200)))
    return sum(found, Answers())


async def two_hundred_grpc_uploads(target: Target) -> Answers:
    """The same over gRPC, 15 MB each."""
    body = export(text="x" * 15_000_000)
    return sum(await asyncio.gather(*(grpc_post(target, body) for _ in range(200))), Answers())


async def grpc_bomb(target: Target) -> Answers:
    """1 GB of zeros in a compressed message."""
    return await grpc_post(target, bytes(1_000_000_000), grpc.Compression.Gzip)


async def grpc_post(target: Target, body: bytes, compression: grpc.Compression | None = None) -> Answers:
    """One call's status."""
    login = base64.b64encode(":".join(target.keys).encode()).decode()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{target.grpc_port}") as channel:
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(GRPC_METHOD)
        try:
            await call(body, metadata=(("authorization", f"Basic {login}"),), compression=compression, timeout=180)
        except grpc.aio.AioRpcError as error:
            return Counter([error.code().name])
    return Counter(["OK"])


async def slow_heads(target: Target) -> Answers:
    """400 connections that never end their head; others must be answered meanwhile."""
    place = urlsplit(target.url)
    sockets = [socket.create_connection((place.hostname or "", place.port or 80)) for _ in range(400)]
    try:
        for one in sockets:
            one.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nX-A: ")
        return await post(target, export(), PROTOBUF)
    finally:
        for one in sockets:
            one.close()


async def endless_head(target: Target) -> Answers:
    """A head of 200 MB."""
    place = urlsplit(target.url)
    reader, writer = await asyncio.open_connection(place.hostname or "", place.port or 80)
    try:
        writer.write(b"GET / HTTP/1.1\r\n")
        for number in range(200_000):
            writer.write(b"X-%d: " % number + b"y" * 1000 + b"\r\n")
            await writer.drain()
    except ConnectionError:
        pass
    try:
        return Counter([(await reader.readline()).decode().split(" ")[1]])
    except (ConnectionError, IndexError):
        return Counter(["closed"])
    finally:
        writer.close()


def bomb() -> bytes:
    """1 GB of zeros in 1 MB of gzip."""
    pack = zlib.compressobj(wbits=31)
    return b"".join(pack.compress(bytes(MIB)) for _ in range(1000)) + pack.flush()


def legacy(events: bytes) -> bytes:
    """A batch of the ingestion API around the text of its events."""
    return b'{"batch":[' + events + b"]}"


SPAN = b'{"traceId":"aa","spanId":"bb","name":"n"'
ATTACKS: dict[str, Attack] = {
    "64 MB, one attribute": once(lambda: export(text="x" * 64_000_000), PROTOBUF),
    "64 MB, 40,000 spans": once(lambda: export(40_000, "x" * 1_600), PROTOBUF),
    "80 MB": once(lambda: bytes(80_000_000), PROTOBUF),
    "80 MB chunked": chunked,
    "gzip bomb of 1 GB": once(bomb, PROTOBUF | GZIP),
    "20,000 gzip members": once(lambda: gzip.compress(b"") * 20_000, PROTOBUF | GZIP),
    "a 10 MB attribute": once(lambda: export(text="x" * 10_000_000), PROTOBUF),
    "a 10 MB attribute, JSON": once(
        lambda: json_spans(
            SPAN + b',"attributes":[{"key":"input.value","value":{"stringValue":"' + b"x" * 10**7 + b'"}}]}'
        ),
        JSON,
    ),
    "100,000 spans": once(lambda: export(100_000), PROTOBUF),
    "100,000 spans, JSON": once(lambda: json_spans(b",".join([SPAN + b"}"] * 100_000)), JSON),
    "60 MB of empty spans": once(lambda: nested(b"\x12\x00", 30_000_000), PROTOBUF),
    "60 MB of empty spans, JSON": once(lambda: json_spans(b",".join([b"{}"] * 20_000_000)), JSON),
    "20 million empty attributes": once(lambda: nested(b"", 0) + export(attributes=20_000_000 // 20) * 20, PROTOBUF),
    "one span, 20 million empty attributes, JSON": once(
        lambda: json_spans(SPAN + b',"attributes":[' + b",".join([b"{}"] * 20_000_000) + b"]}"), JSON
    ),
    "JSON 10,000 deep": once(lambda: json_spans(b"[" * 10_000 + b"]" * 10_000), JSON),
    "60 MB of halves of emojis": once(lambda: json_spans(SPAN[:-1] + rb"\ud83d" * 10_000_000 + b'"}'), JSON),
    "legacy, 20 million numbers": once(lambda: legacy(b"1," * 20_000_000 + b"1"), JSON, "/api/public/ingestion"),
    "legacy, 20 million lists": once(lambda: legacy(b"[]," * 20_000_000 + b"1"), JSON, "/api/public/ingestion"),
    "legacy, 90,000 numbers": once(lambda: legacy(b"1," * 90_000 + b"1"), JSON, "/api/public/ingestion"),
    "slow heads": slow_heads,
    "a head of 200 MB": endless_head,
    "gRPC, gzip bomb of 1 GB": grpc_bomb,
    "200 gRPC uploads of 15 MB": two_hundred_grpc_uploads,
    "200 uploads of 20 MB": two_hundred_uploads,
}


async def run(target: Target) -> bool:
    """Prints a row for each attack; whether all bounds held."""
    print(f"{'':<46}{'answers':<34}{'seconds':>8}{'web MiB':>9}{'worker MiB':>12}")
    good = True
    for name, attack in ATTACKS.items():
        if len(sys.argv) > 7 and sys.argv[7] not in name:
            continue
        began = time.monotonic()
        with Peak(target) as peak:
            answers = await attack(target)
        told = ", ".join(f"{count} x {answer}" for answer, count in sorted(answers.items()))
        print(f"{name:<46}{told:<34}{time.monotonic() - began:>8.1f}{peak.web:>9}{peak.worker:>12}", flush=True)
        good = good and peak.web <= WEB_BOUND_MIB and not answers.keys() & {"500", "UNKNOWN", "INTERNAL"}
    return good


def main() -> None:
    """The program."""
    if len(sys.argv) > 1:
        url, public_key, secret_key, *numbers = sys.argv[1:7]
        web_pid, worker_pid, port = map(int, numbers)
        keys = (public_key, secret_key)
        target = Target(url, keys, psutil.Process(web_pid), psutil.Process(worker_pid), port)
        sys.exit(0 if asyncio.run(run(target)) else 1)
    with new_appliance() as appliance:
        appliance.up("--otlp-grpc-port", "23990")
        web, worker = (psutil.Process(appliance.pids(name)[0]) for name in ("web", "worker"))
        good = asyncio.run(run(Target(appliance.url, appliance.keys, web, worker, 23990)))
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
