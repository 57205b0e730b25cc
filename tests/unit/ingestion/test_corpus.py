"""What real libraries send comes out as what their programs did."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.model.observations import Observation
from appliance.model.traces import Trace
from tests.unit.ingestion.corpus import SOURCES, expectation, read, requests

REPORTED_TWICE = {
    "langfuse-langchain-anthropic": 2,
    "pydantic-ai-2-anthropic": 3,
    "traceloop-anthropic": 2,
    "logfire-anthropic": 1,
}
"""Calls that a second instrumentation reports with usage once more."""


def units(row: Observation, side: str) -> int:
    return sum(count for key, count in row.usage_details.items() if side in key)


def is_call(row: Observation) -> bool:
    return row.type in ("GENERATION", "EMBEDDING")


def differences(call: dict[str, Any], row: Observation) -> list[str]:
    """The facts of a call that the row does not hold."""
    found = {
        "model": row.model in call["models"],
        "input": units(row, "input") == call["input"],
        "output": units(row, "output") == call["output"],
        "input_contains": call["input_contains"] in row.input,
        "output_contains": call["output_contains"] in row.output,
        "error": (row.level == "ERROR") == call["error"],
    }
    return [fact for fact, holds in found.items() if not holds and fact not in call["not_sent"]]


def fits(trace: dict[str, Any], found: Trace) -> bool:
    return (
        trace["root"] in (found.name or "")
        and trace["session"] in (None, found.session_id)
        and trace["user"] == found.user_id
        and set(trace["tags"]) <= set(found.tags)
    )


@pytest.mark.parametrize("source", SOURCES)
def test_every_trace_has_its_name_session_user_and_tags(source: str) -> None:
    traces = read(source).traces
    said = [(trace.name, trace.session_id, trace.user_id, trace.tags) for trace in traces]

    expected = expectation(source)["traces"]
    assert len(traces) == len(expected)
    for trace in expected:
        fitting = next((found for found in traces if fits(trace, found)), None)
        assert fitting is not None, (trace, said)
        traces.remove(fitting)


@pytest.mark.parametrize("source", SOURCES)
def test_every_call_is_one_generation_or_embedding(source: str) -> None:
    rows = [row for row in read(source).observations if is_call(row)]
    calls = [call for call in expectation(source)["llm_calls"] if "call" not in call["not_sent"]]
    for call in calls:
        best = min(rows, key=lambda row: len(differences(call, row)), default=None)
        assert best is not None, call
        assert differences(call, best) == [], (call, best)
        rows.remove(best)


@pytest.mark.parametrize("source", SOURCES)
def test_nothing_is_counted_twice(source: str) -> None:
    rows = read(source).observations
    expected = expectation(source)
    calls = [call for call in expected["llm_calls"] if "call" not in call["not_sent"]]
    calls = [call for call in calls if not call["error"]]
    sent = [call for call in calls if not {"input", "output"} & set(call["not_sent"])]

    counted = [row for row in rows if row.provided_usage_details and units(row, "input") + units(row, "output")]
    assert all(is_call(row) for row in counted)
    unsure = len(calls) - len(sent)
    assert len(sent) <= len(counted) - REPORTED_TWICE.get(source, 0) <= len(sent) + unsure
    for row in counted:
        assert row.usage_details["total"] == units(row, "input") + units(row, "output"), row.usage_details


@pytest.mark.parametrize("source", SOURCES)
def test_tokens_are_not_estimated_around_calls(source: str) -> None:
    rows = read(source).observations
    estimated = {row.id for row in rows if row.usage_details and not row.provided_usage_details}

    assert not [row for row in rows if row.parent_id in estimated and is_call(row)]


@pytest.mark.parametrize("source", SOURCES)
def test_every_tool_is_a_step(source: str) -> None:
    rows = read(source).observations
    steps = [row.name for row in rows if row.type == "TOOL" or (row.type == "SPAN" and row.source == "api")]
    for tool in expectation(source)["tools"]:
        assert any(tool in name for name in steps), [(row.type, row.name) for row in rows]


@pytest.mark.parametrize("source", SOURCES)
def test_the_tools_that_a_model_called_are_known(source: str) -> None:
    rows = [row for row in read(source).observations if row.tool_call_names]
    for call in expectation(source)["llm_calls"]:
        if call["tool"] and not {"call", "output_contains"} & set(call["not_sent"]):
            assert any(call["tool"] in row.tool_call_names for row in rows), call
    assert all(len(row.tool_calls) == len(row.tool_call_names) for row in rows)


def _is_protobuf(source: str) -> bool:
    return any(request.endpoint == "otlp" and not request.is_json for request in requests(source))


@pytest.mark.parametrize("source", [source for source in SOURCES if _is_protobuf(source)])
def test_json_says_the_same_as_protobuf(source: str) -> None:
    def facts(row: Observation) -> tuple[object, ...]:
        usage = tuple(sorted(row.usage_details.items()))
        return row.id, row.trace_id, row.parent_id, row.type, row.name, row.start_time, row.model, row.input, usage

    plain = read(source).observations
    rewritten = read(source, protobuf_as_json=True).observations
    assert [facts(row) for row in rewritten] == [facts(row) for row in plain]
