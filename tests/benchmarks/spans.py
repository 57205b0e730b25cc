"""OTLP requests like those of a service that answers questions: traces of eight spans, about 1.9 kB a span."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from tests.acceptance.exporter import prose

Convention = Literal["langfuse", "openinference"]

SPANS_PER_TRACE: Final = 8
SPANS_PER_REQUEST: Final = 512
_MS: Final = 1_000_000
_DAY: Final = 86_400_000 * _MS
_DAYS: Final = 7
_MODELS: Final = ("gpt-4o", "gpt-4o-mini", "claude-sonnet-4-5", "gemini-2.5-flash")
_TEXTS: Final = 400
_STEPS: Final = (
    ("search", "retriever", 25, 180),
    ("build-prompt", "span", 0, 0),
    ("plan", "generation", 250, 160),
    ("look-up", "tool", 10, 50),
    ("answer", "generation", 250, 160),
    ("check", "generation", 250, 160),
    ("finish", "span", 0, 0),
)
"""Name, type, and words of input and output."""


@dataclass(frozen=True, slots=True)
class Payload:
    """One export request."""

    body: bytes
    """Gzipped protobuf."""
    spans: int


def payloads(traces: int, *, first: int, convention: Convention, now_ns: int) -> Iterator[Payload]:
    """Requests of 512 spans that hold the traces `first` to `first + traces`, the roots last, spread over a week."""
    texts = [prose(f"text {number}".encode(), 220) for number in range(_TEXTS)]
    per_request = SPANS_PER_REQUEST // SPANS_PER_TRACE
    for start in range(first, first + traces, per_request):
        numbers = range(start, min(start + per_request, first + traces))
        spans = [span for number in numbers for span in _trace(number, texts, convention, now_ns)]
        scope = ScopeSpans(scope=InstrumentationScope(name="benchmark"), spans=spans)
        resource = Resource(attributes=[_attribute("service.name", "benchmark")])
        export = ExportTraceServiceRequest(resource_spans=[ResourceSpans(resource=resource, scope_spans=[scope])])
        yield Payload(gzip.compress(export.SerializeToString(), 1), len(spans))


def _trace(number: int, texts: list[str], convention: Convention, now_ns: int) -> Iterator[Span]:
    chance = random.Random(number)
    trace_id, root_id = chance.randbytes(16), chance.randbytes(8)
    start = now_ns - 60_000 * _MS - chance.randrange(_DAYS * _DAY)
    about = {"session": f"session-{number // 5}", "user": f"user-{number % 997}", "tenant": f"t{number % 40}"}
    said, time = "", start
    question = _words(chance, texts, 25)
    for name, kind, asked, made in _STEPS:
        end = time + chance.randrange(5, 900) * _MS
        said = _words(chance, texts, made)
        attributes = _attributes(chance, convention, kind, _words(chance, texts, asked), said, about)
        yield _span(trace_id, chance.randbytes(8), root_id, name, time, end, attributes)
        time = end + _MS
    attributes = _attributes(chance, convention, "chain", question, said or question, about)
    yield _span(trace_id, root_id, b"", "answer-question", start, time, attributes)


def _span(
    trace_id: bytes, id: bytes, parent: bytes, name: str, start: int, end: int, attributes: dict[str, str | int]
) -> Span:
    return Span(
        trace_id=trace_id,
        span_id=id,
        parent_span_id=parent,
        name=name,
        start_time_unix_nano=start,
        end_time_unix_nano=end,
        attributes=[_attribute(key, value) for key, value in attributes.items() if value != ""],
    )


def _attributes(
    chance: random.Random, convention: Convention, kind: str, asked: str, made: str, about: dict[str, str]
) -> dict[str, str | int]:
    found: dict[str, str | int] = {"session.id": about["session"], "user.id": about["user"]}
    is_call = kind == "generation"
    given = json.dumps([{"role": "user", "content": asked}]) if is_call else asked
    counts = {"input": chance.randrange(250, 900), "output": chance.randrange(60, 500)}
    if convention == "openinference":
        found |= {"openinference.span.kind": {"generation": "LLM", "span": "CHAIN"}.get(kind, kind.upper())}
        found |= {"input.value": given, "output.value": made, "metadata": json.dumps({"tenant": about["tenant"]})}
        if is_call:
            found |= {"llm.model_name": chance.choice(_MODELS)}
            found |= {"llm.token_count.prompt": counts["input"], "llm.token_count.completion": counts["output"]}
        return found
    found |= {"langfuse.observation.type": kind, "langfuse.trace.name": "answer-question"}
    found |= {"langfuse.environment": "production", "langfuse.trace.metadata.tenant": about["tenant"]}
    found |= {"langfuse.observation.input": given, "langfuse.observation.output": made}
    if is_call:
        found |= {"langfuse.observation.model.name": chance.choice(_MODELS)}
        found |= {"langfuse.observation.usage_details": json.dumps(counts)}
        found |= {"langfuse.observation.model.parameters": '{"temperature": 0.2, "max_tokens": 1024}'}
    return found


def _words(chance: random.Random, texts: list[str], count: int) -> str:
    """About `count` words, out of two of the texts: fast to make, and hardly ever the same twice."""
    if not count:
        return ""
    text = chance.choice(texts) + chance.choice(texts)
    begin = chance.randrange(len(text) - count * 6)
    return text[begin : begin + count * 6]


def _attribute(key: str, value: str | int) -> KeyValue:
    said = AnyValue(int_value=value) if isinstance(value, int) else AnyValue(string_value=value)
    return KeyValue(key=key, value=said)
