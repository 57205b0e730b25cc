"""Forms of the conventions that recordings of present libraries do not have: older, newer, or documented only."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from appliance.ingestion.otel.conventions.registry import draft_of
from appliance.ingestion.otel.decoding.decode import decode_json, decode_protobuf
from appliance.ingestion.otel.observation import complete_metadata
from appliance.ingestion.otel.span import SpanEvent, SpanLink
from appliance.ingestion.token_usage import usage_from_counts
from appliance.ingestion.tools import tool_use
from tests.unit.ingestion.spans import make_span, says


def draft(attributes: dict[str, Any], **options: Any) -> Any:
    return says(attributes, scope="framework", **options).draft


def test_the_first_generation_of_openllmetry() -> None:
    found = draft(
        {
            "llm.request.type": "chat",
            "llm.request.model": "gpt-4",
            "llm.response.model": "gpt-4-0613",
            "llm.temperature": 0.5,
            "llm.request.max_tokens": 100,
            "llm.prompts.0.role": "user",
            "llm.prompts.0.content": "asked",
            "llm.completions.0.role": "assistant",
            "llm.completions.0.content": "answered",
            "llm.usage.prompt_tokens": 7,
            "llm.usage.completion_tokens": 3,
        }
    )

    assert (found.type, found.model) == ("GENERATION", "gpt-4-0613")
    assert found.model_parameters == {"temperature": 0.5, "max_tokens": 100}
    assert found.input == [{"role": "user", "content": "asked"}]
    assert found.output == [{"role": "assistant", "content": "answered"}]
    assert found.usage == {"input": 7, "output": 3, "total": 10}


def test_vercel_before_it_had_operation_ids() -> None:
    found = draft(
        {
            "operation.name": "ai.generateText.doGenerate joke",
            "ai.model.id": "gpt-4o",
            "ai.prompt.messages": "[]",
            "ai.result.text": "ha",
            "ai.usage.promptTokens": 4,
            "ai.usage.completionTokens": 2,
        }
    )

    assert (found.type, found.model, found.output) == ("GENERATION", "gpt-4o", "ha")
    assert found.usage == {"input": 4, "output": 2, "total": 6}


@pytest.mark.parametrize(
    ("provider", "counts", "usage"),
    [
        (
            {"anthropic": {"cacheCreationInputTokens": 30, "cacheReadInputTokens": 20}},
            {"promptTokens": 10, "completionTokens": 5},
            {"input": 10, "input_cached_tokens": 20, "input_cache_creation": 30, "output": 5, "total": 65},
        ),
        (
            {
                "anthropic": {
                    "usage": {
                        "input_tokens": 10,
                        "cache_creation_input_tokens": 30,
                        "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
                    }
                }
            },
            {"inputTokens": 10, "outputTokens": 5},
            {"input": 10, "input_cache_creation_5m": 10, "input_cache_creation_1h": 20, "output": 5, "total": 45},
        ),
        (
            {"bedrock": {"usage": {"cacheReadInputTokens": 20, "cacheWriteInputTokens": 3}}},
            {"inputTokens": 100, "outputTokens": 5},
            {"input": 100, "input_cached_tokens": 20, "input_cache_creation": 3, "output": 5, "total": 128},
        ),
        (
            {"google": {"usageMetadata": {"cachedContentTokenCount": 40}}},
            {"inputTokens": 100, "outputTokens": 5, "reasoningTokens": 7, "totalTokens": 112},
            {"input": 60, "input_cached_tokens": 40, "output": 5, "output_reasoning_tokens": 7, "total": 112},
        ),
        (
            {"openai": {"cachedPromptTokens": 40, "reasoningTokens": 2}},
            {"inputTokens": 100, "outputTokens": 5},
            {"input": 60, "input_cached_tokens": 40, "output": 3, "output_reasoning_tokens": 2, "total": 105},
        ),
    ],
)
def test_vercel_tells_what_providers_cached(
    provider: dict[str, Any], counts: dict[str, int], usage: dict[str, int]
) -> None:
    found = draft(
        {
            "ai.operationId": "ai.generateText.doGenerate",
            "ai.model.id": "m",
            "ai.response.providerMetadata": json.dumps(provider),
            **{f"ai.usage.{key}": units for key, units in counts.items()},
        }
    )

    assert found.usage == usage


@pytest.mark.parametrize("prefix", ["", "details.", "cache_creation."])
def test_cache_writes_by_lifetime(prefix: str) -> None:
    sent = {
        "input_tokens": 100,
        "output_tokens": 5,
        "cache_creation_input_tokens": 50,
        f"{prefix}ephemeral_5m_input_tokens": 20,
        f"{prefix}ephemeral_1h_input_tokens": 30,
    }

    assert usage_from_counts(sent) == {
        "input": 50,
        "input_cache_creation_5m": 20,
        "input_cache_creation_1h": 30,
        "output": 5,
        "total": 105,
    }


def test_messages_within_one_attribute_of_an_event() -> None:
    events = [
        SpanEvent("gen_ai.user.message", 1, {"gen_ai.event.content": '{"role":"user","content":"asked"}'}),
        SpanEvent("gen_ai.tool.message", 2, {"gen_ai.event.content": "plain"}),
        SpanEvent("gen_ai.choice", 3, {"gen_ai.event.content": '{"index":0,"message":{"content":"answered"}}'}),
    ]
    found = draft({"gen_ai.operation.name": "chat"}, events=events)

    assert found.input == [{"role": "user", "content": "asked"}, {"role": "tool", "content": "plain"}]
    assert found.output == {"index": 0, "message": {"content": "answered"}}


@pytest.mark.parametrize(
    ("attributes", "type"),
    [
        ({"gen_ai.operation.name": "retrieval"}, "RETRIEVER"),
        ({"gen_ai.operation.name": "invoke_workflow"}, "CHAIN"),
        ({"gen_ai.operation.name": "create_agent"}, "AGENT"),
        ({"gen_ai.tool.call.id": "c"}, "TOOL"),
        ({"flue.tool.name": "look"}, "TOOL"),
        ({"flue.task.agent": "a"}, "AGENT"),
        ({"llm.response.model": "m"}, "GENERATION"),
        ({"model": "m"}, "GENERATION"),
        ({"openinference.span.kind": "DECISION"}, "SPAN"),
    ],
)
def test_types(attributes: dict[str, Any], type: str) -> None:
    assert draft(attributes).type == type


def test_parameters_of_model_config() -> None:
    assert draft({"model": "m", "model_config": '{"temperature":1}'}).model_parameters == {"temperature": 1}


def test_an_error_without_message_says_what_was_raised() -> None:
    raised = SpanEvent("exception", 5, {"exception.type": "ValueError", "exception.message": "no such city"})

    assert draft({}, status=2, events=[raised]).status_message == "ValueError: no such city"
    assert draft({}, events=[raised]).status_message is None


def test_events_and_links_are_kept() -> None:
    span = make_span({}, scope="framework", events=[SpanEvent("cache.miss", 1_000_000, {"key": "k"})])
    span.links.append(SpanLink("t", "s", {"why": "batch"}))

    found = draft_of(span)
    complete_metadata(span, found)

    assert json.loads(found.metadata["events"]) == [
        {"name": "cache.miss", "time": "1970-01-01T00:00:01.000000Z", "attributes": {"key": "k"}}
    ]
    assert json.loads(found.metadata["links"]) == [{"traceId": "t", "spanId": "s", "attributes": {"why": "batch"}}]


def test_a_kind_that_nobody_knows_stays() -> None:
    found = draft({"openinference.span.kind": "DECISION"})

    assert json.loads(found.metadata["attributes"]) == {"openinference.span.kind": "DECISION"}


def test_the_tools_of_genkit_are_kept_and_known() -> None:
    asked = {"messages": [{"role": "user"}], "tools": [{"name": "look", "description": "d", "inputSchema": {"a": 1}}]}
    found = says(
        {
            "genkit:name": "openai/gpt-4o",
            "genkit:metadata:subtype": "model",
            "genkit:input": json.dumps(asked),
            "genkit:output": '{"message":{"role":"model"},"finishReason":"stop"}',
            "genkit:sessionId": "s",
        },
        scope="genkit-tracer",
    )
    kept = json.loads(found.draft.metadata["attributes"])

    assert kept["genkit:output.finishReason"] == "stop"
    assert list(tool_use("", "", found.span.attributes).definitions) == ["look"]
    assert found.draft.session_id == "s"


@pytest.mark.parametrize(
    ("asked", "attributes"),
    [
        ("", {"llm.request.functions.0.name": "look", "llm.request.functions.0.parameters": '{"type":"object"}'}),
        (
            "",
            {
                "model_request_parameters": '{"function_tools":'
                '[{"name":"look","parameters_json_schema":{"type":"object"}}],"output_tools":[]}'
            },
        ),
        ('{"config":{"tools":[{"function_declarations":[{"name":"look","parameters":{"type":"object"}}]}]}}', {}),
        (
            '[{"role":"tool","content":{"type":"function","function":{"name":"look","parameters":{"type":"object"}}}}]',
            {},
        ),
        ("", {"tools": '[{"type":"function","function":{"name":"look","parameters":{"type":"object"}}}]'}),
    ],
)
def test_tools_that_were_offered(asked: str, attributes: dict[str, Any]) -> None:
    assert tool_use(asked, "", attributes).definitions == {"look": '{"description":"","parameters":{"type":"object"}}'}


def _text(value: str) -> AnyValue:
    return AnyValue(string_value=value)


def test_structured_attributes_keep_their_structure() -> None:
    part = AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key="content", value=_text("asked"))]))
    message = KeyValueList(
        values=[
            KeyValue(key="role", value=_text("user")),
            KeyValue(key="parts", value=AnyValue(array_value=ArrayValue(values=[part]))),
        ]
    )
    listed = AnyValue(array_value=ArrayValue(values=[AnyValue(kvlist_value=message)]))
    request = ExportTraceServiceRequest()
    wire = request.resource_spans.add().scope_spans.add().spans.add(trace_id=b"1" * 16, span_id=b"2" * 8)
    wire.attributes.append(KeyValue(key="gen_ai.input.messages", value=listed))
    wire.attributes.append(KeyValue(key="one", value=AnyValue(kvlist_value=message)))
    wire.links.add(trace_id=b"3" * 16, span_id=b"4" * 8)
    as_json = {
        "resourceSpans": [
            {
                "scopeSpans": [
                    {
                        "spans": [
                            {
                                "traceId": "31" * 16,
                                "spanId": "32" * 8,
                                "attributes": [
                                    {"key": "gen_ai.input.messages", "value": _as_json(listed)},
                                    {"key": "one", "value": _as_json(AnyValue(kvlist_value=message))},
                                ],
                                "links": [{"traceId": "33" * 16, "spanId": "34" * 8}],
                            }
                        ]
                    }
                ]
            }
        ]
    }
    expected = {"role": "user", "parts": [{"content": "asked"}]}

    for span in (next(decode_protobuf(request.SerializeToString())), next(decode_json(json.dumps(as_json).encode()))):
        assert span.attributes["gen_ai.input.messages"] == [expected]
        assert json.loads(span.attributes["one"]) == expected
        assert [(link.trace_id, link.span_id) for link in span.links] == [("33" * 16, "34" * 8)]


def _as_json(value: AnyValue) -> dict[str, Any]:

    found: dict[str, Any] = MessageToDict(value)
    return found


def test_the_service_tier_is_a_parameter() -> None:
    attributes = {
        "gen_ai.request.model": "gpt-5.4",
        "gen_ai.openai.request.service_tier": "auto",
        "gen_ai.openai.response.service_tier": "priority",
    }

    assert draft(attributes).model_parameters == {"service_tier": "priority"}


def test_parts_that_openinference_flattens() -> None:
    embedded = draft(
        {
            "openinference.span.kind": "EMBEDDING",
            "embedding.embeddings.0.embedding.text": "a",
            "embedding.embeddings.1.embedding.text": "b",
        }
    )
    called = draft({"openinference.span.kind": "TOOL", "tool.name": "look", "tool.parameters": '{"city":"Paris"}'})
    completed = draft({"openinference.span.kind": "LLM", "llm.choices.0.completion.text": "answer"})

    assert embedded.input == ["a", "b"]
    assert (called.name, called.input) == ("look", '{"city":"Paris"}')
    assert completed.output == [{"text": "answer"}]


def test_requests_and_answers_of_older_logfire() -> None:
    found = draft(
        {
            "logfire.msg": "Chat Completion with 'gpt-4o'",
            "request_data": '{"model":"gpt-4o","messages":[{"role":"user","content":"asked"}]}',
            "response_data": '{"message":{"role":"assistant","content":"answered"},"usage":{"prompt_tokens":10,'
            '"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":4}}}',
        }
    )

    assert (found.type, found.model) == ("GENERATION", "gpt-4o")
    assert found.input == [{"role": "user", "content": "asked"}]
    assert found.output == {"role": "assistant", "content": "answered"}
    assert found.usage == {"input": 6, "input_cached_tokens": 4, "output": 5, "total": 15}


def test_pipecat_speaks_and_listens() -> None:
    spoken = says({"text": "Hello", "gen_ai.request.model": "tts-1"}, scope="pipecat", name="tts").draft
    heard = says({"transcript": "Hi", "gen_ai.request.model": "whisper"}, scope="pipecat", name="stt").draft

    assert (spoken.input, heard.output) == ("Hello", "Hi")
