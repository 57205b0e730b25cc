"""What only one framework does; the recorded corpus covers the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from appliance.ingestion.otel.conventions.registry import draft_of
from appliance.ingestion.otel.observation import observation_of
from appliance.ingestion.otel.span import SpanEvent
from appliance.model.pricing import Pricing
from appliance.model.times import LATEST
from tests.unit.ingestion.spans import SOURCE, make_span, says


def draft(attributes: dict[str, Any], **options: Any) -> Any:
    return says(attributes, scope="framework", **options).draft


@pytest.mark.parametrize(
    ("attributes", "type"),
    [
        ({"ai.operationId": "ai.streamText.doStream"}, "GENERATION"),
        ({"ai.operationId": "ai.embedMany.doEmbed"}, "EMBEDDING"),
        ({"ai.operationId": "ai.generateText", "ai.model.id": "m"}, "SPAN"),
        ({"ai.operationId": "ai.toolCall"}, "TOOL"),
        ({"genkit:name": "r", "genkit:metadata:subtype": "retriever"}, "RETRIEVER"),
        ({"mlflow.spanType": '"RERANKER"'}, "RETRIEVER"),
        ({"mlflow.spanType": '"UNKNOWN"', "model": '"m"'}, "SPAN"),
        ({"langsmith.span.kind": "prompt"}, "SPAN"),
        ({"langsmith.span.kind": "retriever"}, "RETRIEVER"),
        ({"mastra.span.type": "mcp_tool_call"}, "TOOL"),
        ({"traceloop.span.kind": "agent"}, "AGENT"),
        ({"traceloop.span.kind": "workflow"}, "SPAN"),
        ({"llm.request.type": "embedding", "gen_ai.request.model": "m"}, "EMBEDDING"),
        ({"openinference.span.kind": "TOOL", "ai.operationId": "ai.generateText"}, "TOOL"),
        ({"gen_ai.operation.name": "execute_tool"}, "TOOL"),
    ],
)
def test_types(attributes: dict[str, Any], type: str) -> None:
    assert draft(attributes).type == type


@pytest.mark.parametrize(
    "attributes",
    [
        {"traceloop.association.properties.session_id": "s", "traceloop.association.properties.user_id": "u"},
        {"ai.operationId": "x", "ai.telemetry.metadata.sessionId": "s", "ai.telemetry.metadata.userId": "u"},
        {"langsmith.metadata.thread_id": "s", "langsmith.metadata.user_id": "u"},
        {"mastra.metadata.threadId": "s", "mastra.metadata.userId": "u"},
        {"mlflow.trace.session": '"s"', "mlflow.trace.user": '"u"'},
        {"gcp.vertex.agent.session_id": "s", "user.id": "u"},
        {
            "traceloop.association.properties.thread_id": "t",
            "traceloop.association.properties.session_id": "s",
            "traceloop.association.properties.user_id": None,
            "traceloop.association.properties.userId": "u",
        },
    ],
)
def test_sessions_and_users(attributes: dict[str, Any]) -> None:
    found = draft(attributes)
    assert (found.session_id, found.user_id) == ("s", "u")


def test_what_repeats_others_is_kept_but_not_counted() -> None:
    span = make_span({"openinference.span.kind": "AGENT", "llm.token_count.prompt": 223, "llm.model_name": "m"})
    row = observation_of(span, draft_of(span), SOURCE, Pricing([]))

    assert (row.model, row.usage_details) == ("", {})
    assert json.loads(row.metadata["aggregate"]) == {"model": "m", "usage": {"input": 223, "total": 223}}


def test_unread_attributes_stay() -> None:
    found = draft({"gcp.vertex.agent.event_id": "e", "ai.operationId": "x", "my.key": 1, "lk.agent_label": "a"})

    assert json.loads(found.metadata["attributes"]) == {
        "my.key": "1",
        "lk.agent_label": "a",
        "gcp.vertex.agent.event_id": "e",
    }


def test_input_and_output_come_from_different_conventions() -> None:
    found = draft({"gen_ai.input.messages": "asked", "gen_ai.completion.0.function_call.name": "look"})

    assert found.input == "asked"
    assert found.output == [{"function_call": {"name": "look"}}]


def test_events_of_a_span_hold_its_messages() -> None:
    events = [
        SpanEvent("gen_ai.system.message", 1, {"content": "be brief"}),
        SpanEvent("gen_ai.user.message", 2, {"content": "hello"}),
        SpanEvent("gen_ai.choice", 3, {"index": 0, "message": '{"content":"hi"}'}),
    ]
    found = draft({"gen_ai.operation.name": "chat"}, events=events)

    assert [message["role"] for message in found.input] == ["system", "user"]
    assert found.output == {"index": 0, "message": {"content": "hi"}}


def test_the_details_event_holds_both_sides() -> None:
    attributes = {"gen_ai.input.messages": "[1]", "gen_ai.output.messages": "[2]"}
    event = SpanEvent("gen_ai.client.inference.operation.details", 1, attributes)
    found = draft({"gen_ai.operation.name": "chat"}, events=[event])

    assert (found.input, found.output) == ("[1]", "[2]")


def test_vercel_names_its_steps_by_function_and_operation() -> None:
    found = draft(
        {
            "ai.operationId": "ai.streamText.doStream",
            "ai.telemetry.functionId": "joke",
            "ai.response.msToFirstChunk": 9.2,
            "ai.telemetry.metadata.langfusePrompt": '{"name":"p","version":3}',
            "ai.response.text": "hi",
            "ai.response.toolCalls": '[{"toolName":"look"}]',
        },
        start=1_000_000,
    )

    assert found.name == "joke:ai.streamText.doStream"
    assert found.completion_start == 1_010_000
    assert (found.prompt_name, found.prompt_version) == ("p", 3)
    assert found.output == {"role": "assistant", "content": "hi", "tool_calls": [{"toolName": "look"}]}


def test_the_call_within_a_call_of_adk_1_is_no_second_one() -> None:
    found = draft(
        {
            "gcp.vertex.agent.event_id": "e",
            "gen_ai.system": "gemini",
            "gen_ai.operation.name": "generate_content",
            "gen_ai.usage.input_tokens": 100,
        }
    )

    assert (found.type, found.usage) == ("SPAN", None)


def test_livekit_steps_are_known_by_their_names_alone() -> None:
    assert says({"lk.agent_label": "a"}, scope="livekit-agents", name="on_enter").draft.level == "DEBUG"
    assert says({}, scope="livekit-agents", name="on_exit").draft.level == "DEBUG"
    assert says({}, scope="livekit-agents", name="agent_turn").draft.type == "AGENT"


def test_tags_that_langchain_sets_itself_are_none() -> None:
    assert draft({"langsmith.span.tags": "seq:step:1, corpus"}).tags == ["corpus"]
    assert draft({"langsmith.span.tags": "graph:step:2"}).tags is None


def test_logfire_events_are_split_where_the_model_answers() -> None:
    events = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    found = draft({"logfire.msg": "call", "events": json.dumps(events)})

    assert (found.input, found.output) == (events[:1], events[1:])


def test_logfire_choices_are_the_answer_wherever_they_stand() -> None:
    choices = [{"event.name": "gen_ai.choice", "index": number} for number in range(2)]
    asked = {"event.name": "gen_ai.user.message", "content": "a"}
    found = draft({"logfire.msg": "call", "events": json.dumps([choices[0], asked, choices[1]])})

    assert (found.input, found.output) == ([asked], choices)


@pytest.mark.parametrize(("first_chunk", "micros"), [(1.2, 1_002_000), (-5.0, 1_000_000), (1e300, LATEST)])
def test_a_first_chunk_comes_at_a_time_that_can_be_stored(first_chunk: float, micros: int) -> None:
    found = draft({"ai.operationId": "ai.streamText.doStream", "ai.response.msToFirstChunk": first_chunk})

    assert found.completion_start == micros


def test_what_no_field_takes_stays_in_the_metadata() -> None:
    """Of two names for one thing only the one that is used is taken out."""
    attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "look",
        "gen_ai.tool.call.id": "call-1",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "langsmith.metadata.session_id": "s",
        "langsmith.metadata.thread_id": "t",
    }
    score = SpanEvent("gen_ai.evaluation.result", 1, {"gen_ai.evaluation.score.value": 0.5})
    found = draft(attributes, events=[score])

    assert (found.name, found.model, found.session_id) == ("look", "gpt-4o-2024-08-06", "s")
    assert json.loads(found.metadata["attributes"]) == {
        "gen_ai.tool.call.id": "call-1",
        "gen_ai.request.model": "gpt-4o",
    }
    assert found.metadata["thread_id"] == "t"
    assert json.loads(found.metadata["events"])[0]["name"] == "gen_ai.evaluation.result"


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        (None, []),
        ("hello", [{"role": "user", "content": "hello"}]),
        ('{"role": "user", "parts": []}', [{"role": "user", "parts": []}]),
        ('[{"role": "user"}]', [{"role": "user"}]),
    ],
)
def test_instructions_of_the_system_are_part_of_the_input(messages: str | None, expected: list[Any]) -> None:
    asked = {} if messages is None else {"gen_ai.input.messages": messages}
    found = draft({"gen_ai.operation.name": "chat", "gen_ai.system_instructions": "be kind", **asked})

    assert found.input == [{"role": "system", "content": "be kind"}, *expected]


def test_metadata_of_the_program_is_not_replaced_by_ours() -> None:
    found = says(
        {"langfuse.observation.metadata.events": "mine", "langfuse.observation.metadata.scope": "mine too"},
        events=[SpanEvent("exception", 1, {})],
    ).draft

    assert (found.metadata["events"], found.metadata["scope"]) == ("mine", "mine too")
    assert json.loads(found.metadata["otel.events"])[0]["name"] == "exception"
    assert found.metadata["otel.scope"] == "{}"


@pytest.mark.parametrize(("total", "output"), [(18, 5), (21, 8)])
def test_thoughts_are_within_the_output_of_genkit_or_beside_it(total: int, output: int) -> None:
    told = {"usage": {"inputTokens": 10, "outputTokens": 8, "thoughtsTokens": 3, "totalTokens": total}}
    found = draft(
        {"genkit:name": "m", "genkit:metadata:subtype": "model", "genkit:output": json.dumps(told)},
    )

    assert found.usage == {"input": 10, "output": output, "output_reasoning": 3, "total": total}
