"""Which events are valid, and their normal form."""

from __future__ import annotations

from typing import Any

import pytest

from appliance import issues
from appliance.errors import InvalidData
from appliance.ingestion.legacy.events import BODIES, accepted_event
from appliance.ingestion.source import EntrySource

NOW = "2025-06-01T12:00:00+00:00"


def event(event_type: str, body: Any, **other: Any) -> dict[str, Any]:
    return {"id": "e", "type": event_type, "timestamp": NOW, "body": body, **other}


def score(**fields: Any) -> dict[str, Any]:
    return event("score-create", {"id": "s", "name": "n", "value": 1, "traceId": "t", **fields})


@pytest.mark.parametrize("event_type", sorted(BODIES))
def test_every_type_has_a_valid_form(event_type: str) -> None:
    body: dict[str, Any] = {"id": "x", "name": "n", "value": 1, "traceId": "t", "type": "SPAN", "input": {"a": [1]}}
    assert accepted_event(event(event_type, body))["body"]["id"] == "x"


@pytest.mark.parametrize(
    "wrong",
    [
        event("dataset-run-item-create", {}),
        event("trace-create", {}, timestamp="2025-06-01T12:00:00"),
        event("trace-create", {}, id=""),
        event("trace-create", {}, id="a\rb"),
        event("trace-create", {}, id="a" * 801),
        event("trace-create", None),
        event("trace-create", {"name": "n" * 1001}),
        event("trace-create", {"tags": "a"}),
        event("span-create", {"name": "without id"}),
        event("span-create", {"id": "s", "level": "LOUD"}),
        event("span-create", {"id": "s", "startTime": "12:00"}),
        event("generation-create", {"id": "g", "promptName": "p"}),
        event("generation-create", {"id": "g", "promptName": "p", "promptVersion": 1.5}),
        event("observation-create", {"id": "g", "type": "CHAIN"}),
    ],
)
def test_others_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidData):
        accepted_event(wrong)


@pytest.mark.parametrize(
    "right",
    [
        score(),
        score(value="good"),
        score(dataType="BOOLEAN", value=1.0),
        score(dataType="TEXT", value="x" * 500),
        score(dataType="CORRECTION", value="better", name="", source="ANNOTATION"),
        score(traceId=None, sessionId="u"),
        score(traceId=None, datasetRunId="r"),
        score(observationId="o", comment=None),
    ],
)
def test_valid_scores(right: dict[str, Any]) -> None:
    assert accepted_event(right)["body"]["id"] == "s"


@pytest.mark.parametrize(
    "wrong",
    [
        score(value=True),
        score(value=None),
        score(name=""),
        score(name=None, dataType="CORRECTION", value="x"),
        score(dataType="BOOLEAN", value=-1),
        score(dataType="BOOLEAN", value="1"),
        score(dataType="NUMERIC", value="1"),
        score(dataType="CATEGORICAL", value=1),
        score(dataType="TEXT", value=""),
        score(dataType="TEXT", value="x" * 501),
        score(dataType="CORRECTION", value="x", configId="c"),
        score(dataType="CORRECTION", value="x", traceId=None, sessionId="u"),
        score(sessionId="u"),
        score(traceId=None),
        score(traceId=None, sessionId="u", observationId="o"),
        score(source="ANNOTATION"),
        score(source="MAGIC"),
    ],
)
def test_invalid_scores(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidData):
        accepted_event(wrong)


def test_null_and_missing_stay_apart() -> None:
    body = accepted_event(event("trace-create", {"id": "t", "userId": None}))["body"]
    assert body == {"id": "t", "userId": None}


def test_ids_of_opentelemetry_have_small_letters_and_others_stay() -> None:
    trace, span = "AB" * 16, "CD" * 8
    assert accepted_event(event("trace-create", {"id": trace}))["body"]["id"] == trace.lower()
    body = {"id": span, "traceId": trace, "parentObservationId": "Step-1", "name": trace}
    assert accepted_event(event("span-create", body))["body"] == body | {"id": span.lower(), "traceId": trace.lower()}
    body = accepted_event(score(traceId=trace, observationId=span, id=trace))["body"]
    assert (body["traceId"], body["observationId"], body["id"]) == (trace.lower(), span.lower(), trace)


def test_missing_ids_are_filled_in() -> None:
    assert accepted_event(event("trace-create", {"name": "n"}))["body"]["id"]
    assert accepted_event(event("span-create", {"id": "s"}))["body"]["traceId"]
    assert "traceId" not in accepted_event(event("span-update", {"id": "s"}))["body"]


def test_the_path_of_a_fault_counts_from_the_event() -> None:
    with pytest.raises(InvalidData) as caught:
        accepted_event(event("trace-create", {"tags": [1]}))
    assert caught.value.issues == [issues.invalid_type(("body", "tags", 0), "string", 1)]


@pytest.mark.parametrize(
    ("given_name", "expected"),
    [
        ("Production", "production"),
        ("langfuse-langfuse_eval", "eval"),
        ("langfuse", "default"),
        ("a b", "default"),
        ("", "default"),
        (None, "default"),
        (7, "default"),
        ("x" * 50, "x" * 40),
    ],
)
def test_environments_never_fail(given_name: Any, expected: str) -> None:
    assert accepted_event(event("trace-create", {"environment": given_name}))["body"]["environment"] == expected


@pytest.mark.parametrize(
    ("version", "expected"), [("5.0.4", True), ("4.9", False), ("\u00b2.0", False), ("9" * 5000, True), ("", False)]
)
def test_metadata_comes_in_json_since_version_5_of_the_python_sdk(version: str, expected: bool) -> None:
    assert EntrySource("p", 1, "python", version).has_json_metadata is expected


def test_a_whole_number_may_be_written_with_a_fraction() -> None:
    body = {"id": "g", "promptName": "p", "promptVersion": 2.0, "traceId": "t"}
    assert accepted_event(event("generation-create", body))["body"] == body
