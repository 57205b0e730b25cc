"""The recordings are complete, small, free of secrets, and hold what their expectations ask for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.corpus_recording import manifest
from tests.corpus_recording.record import CORPUS, LARGEST_RECORDING
from tests.corpus_recording.recorder import SECRET_HEADERS, Recorded

SOURCES = manifest.sources()


def _requests(name: str) -> Iterator[Recorded]:
    for path in sorted((CORPUS / name).glob("*.headers.json")):
        head = json.loads(path.read_text())
        body = Path(str(path).removesuffix(".headers.json") + ".bin").read_bytes()
        headers = tuple((key, value) for key, value in head["headers"])
        yield Recorded(head["method"], head["path"], head["query"], headers, body)


def _leaf(value: AnyValue) -> str:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return "\n".join(_leaf(one) for one in value.array_value.values)
    return str(getattr(value, kind)) if kind else ""


def _is_json(request: Recorded) -> bool:
    return any(key.lower() == "content-type" and "json" in value for key, value in request.headers)


def _spans(request: Recorded) -> list[Span]:
    parsed = ExportTraceServiceRequest.FromString(request.plain_body)
    return [span for part in parsed.resource_spans for scope in part.scope_spans for span in scope.spans]


def _texts(request: Recorded) -> list[str]:
    """What each span of a request says, one value a line; a JSON request is one text."""
    if _is_json(request):
        return [json.dumps(json.loads(request.plain_body), ensure_ascii=False)]
    return [_span_text(span) for span in _spans(request)]


def _span_text(span: Span) -> str:
    events = [one for event in span.events for one in event.attributes]
    return "\n".join([span.name, *(_leaf(one.value) for one in (*span.attributes, *events))])


def _has_number(text: str, *numbers: int) -> bool:
    return any(re.search(rf"(?<![\d.]){number}(?![\d])", text) for number in numbers)


def _missing(call: dict[str, Any], text: str) -> set[str]:
    """The facts of a call that the text does not hold."""
    if "call" in call["not_sent"]:
        return set()
    found = {key: not call[key] or call[key] in text for key in ("input_contains", "output_contains")}
    if not call["error"]:
        found["model"] = any(model in text for model in call["models"])
        found["input"] = _has_number(text, call["input"], call["input"] - call["cached"] - call["cache_written"])
        found["output"] = not call["output"] or _has_number(text, call["output"], call["output"] - call["reasoning"])
    return {key for key, present in found.items() if not present}


@pytest.mark.parametrize("name", SOURCES)
def test_recording_holds_what_its_expectation_asks_for(name: str) -> None:
    expected = json.loads((CORPUS / name / "expect.json").read_text())
    requests = [request for request in _requests(name) if request.endpoint in ("otlp", "ingestion")]
    texts = [text for request in requests for text in _texts(request)]
    text = "\n".join(texts)
    assert expected["packages"] == list(SOURCES[name].packages)
    for call in expected["llm_calls"]:
        assert min((_missing(call, one) - set(call["not_sent"]) for one in texts), key=len) == set()
    if not any(_is_json(request) for request in requests):
        assert len({span.trace_id for one in requests for span in _spans(one)}) == len(expected["traces"])
    for trace in expected["traces"]:
        for fact in (trace["root"], trace["session"], trace["user"], *trace["tags"]):
            assert fact is None or fact in text
    for tool in expected["tools"]:
        assert tool in text


@pytest.mark.parametrize("name", SOURCES)
def test_recording_is_small_and_without_secrets(name: str) -> None:
    requests = list(_requests(name))
    assert 0 < sum(len(request.body) for request in requests) <= LARGEST_RECORDING
    for request in requests:
        assert all(value == "<redacted>" for key, value in request.headers if key.lower() in SECRET_HEADERS)


def test_every_folder_of_the_corpus_is_in_the_manifest() -> None:
    assert {folder.name for folder in CORPUS.iterdir() if folder.is_dir()} == set(SOURCES)
