"""Deterministic OTLP traffic, sent as an exporter sends it: retried until the server accepts or refuses it for good."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

SPANS_PER_TRACE = 6
RETRYABLE = (429, 502, 503, 504)
WORDS = ["".join(random.Random(number).choices("aeiourstlnmdpcg", k=2 + number % 7)) for number in range(3000)]
PATH = "/api/public/otel/v1/traces"
HEADERS = {"content-type": "application/x-protobuf", "content-encoding": "gzip"}


@dataclass(frozen=True, slots=True)
class Request:
    """One export request: whole traces, gzipped protobuf."""

    body: bytes
    span_ids: dict[str, list[str]]
    """Span ids by trace id."""


def make_request(seed: str, number: int, *, traces: int = 2, now_ns: int | None = None) -> Request:
    """The same request for the same seed and number (but for the times)."""
    end = now_ns or time.time_ns()
    spans, ids = [], {}
    for index in range(traces):
        digest = hashlib.sha256(f"{seed}/{number}/{index}".encode())
        trace_id = digest.digest()[:16]
        made = list(_spans(trace_id, seed, end))
        spans += made
        ids[trace_id.hex()] = [span.span_id.hex() for span in made]
    scope = ScopeSpans(scope=InstrumentationScope(name="langfuse-sdk", version="5.0.4"), spans=spans)
    resource = Resource(attributes=[_attribute("service.name", "exporter")])
    export = ExportTraceServiceRequest(resource_spans=[ResourceSpans(resource=resource, scope_spans=[scope])])
    return Request(body=gzip.compress(export.SerializeToString(), 1), span_ids=ids)


def _spans(trace_id: bytes, seed: str, end: int) -> Iterator[Span]:
    root = trace_id[:8]
    for position in range(SPANS_PER_TRACE):
        is_root = position == SPANS_PER_TRACE - 1
        span_id = root if is_root else hashlib.sha256(trace_id + bytes([position])).digest()[:8]
        attributes = [_attribute("session.id", f"{seed}-{trace_id.hex()[:2]}"), _attribute("user.id", f"{seed}-user")]
        if is_root:
            attributes += [_attribute("langfuse.trace.name", seed), _attribute("langfuse.observation.input", "ask")]
        elif position % 2:
            attributes += [
                _attribute("langfuse.observation.type", "generation"),
                _attribute("langfuse.observation.model.name", "gpt-4o-mini"),
                _attribute("langfuse.observation.usage_details", json.dumps({"input": 900, "output": 300})),
                _attribute("langfuse.observation.input", prose(span_id, 240)),
                _attribute("langfuse.observation.output", prose(span_id, 130)),
            ]
        yield Span(
            trace_id=trace_id,
            span_id=span_id,
            parent_span_id=b"" if is_root else root,
            name=seed if is_root else f"step-{position}",
            start_time_unix_nano=end - (900 if is_root else 800 - 100 * position) * 1_000_000,
            end_time_unix_nano=end - (0 if is_root else 750 - 100 * position) * 1_000_000,
            attributes=attributes,
        )


def prose(seed: bytes, words: int) -> str:
    """Made-up text of about six characters per word, which compresses as text does; the same for the same seed."""
    return " ".join(random.Random(seed).choices(WORDS, k=words))


def _attribute(key: str, value: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=value))


def send(http: httpx.Client, request: Request, *, within_s: float = 60.0) -> int:
    """Sends one request until it is accepted; returns how many tries failed; raises AssertionError when refused."""
    deadline, delay, failures = time.monotonic() + within_s, 0.05, 0
    while True:
        try:
            answer = http.post(PATH, content=request.body, headers=HEADERS)
            if answer.status_code == 200:
                return failures
            assert answer.status_code in RETRYABLE, f"{answer.status_code} {answer.text}"
        except httpx.TransportError:
            pass
        failures += 1
        assert time.monotonic() < deadline, f"not accepted within {within_s} s"
        time.sleep(delay)
        delay = min(delay * 2, 1.0)


@dataclass(slots=True)
class Load:
    """A steady load in a thread; stop it by leaving the `with` block."""

    http: httpx.Client
    seed: str
    requests_per_s: float = 40.0
    traces: int = 2
    """Traces per request."""
    accepted: dict[str, list[str]] = field(default_factory=dict)
    """Span ids by trace id, of all accepted requests."""
    failures: int = 0
    """Tries that failed and were tried again."""
    error: Exception | None = None
    _stopped: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Load:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        assert self._thread is not None
        self._thread.join(timeout=90)

    def _run(self) -> None:
        number = 0
        try:
            while not self._stopped.wait(1 / self.requests_per_s):
                request = make_request(self.seed, number, traces=self.traces)
                self.failures += send(self.http, request)
                self.accepted |= request.span_ids
                number += 1
        except (AssertionError, httpx.HTTPError) as error:
            self.error = error if isinstance(error, Exception) else None
