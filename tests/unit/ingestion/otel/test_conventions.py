"""What the conventions make of single spans."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.ingestion.otel.conventions.langfuse import tags_of
from appliance.ingestion.otel.conventions.registry import _mappers_for, draft_of
from appliance.ingestion.otel.observation import observation_of
from appliance.ingestion.otel.span import SpanEvent
from appliance.model.observations import Observation
from appliance.model.price_table import built_in_models
from appliance.model.pricing import Pricing
from tests.unit.ingestion.spans import SOURCE, make_span

PRICING = Pricing(built_in_models())


def row_of(attributes: dict[str, Any], **options: Any) -> Observation:
    span = make_span(attributes, **options)
    return observation_of(span, draft_of(span), SOURCE, PRICING)


def test_langfuse_generation() -> None:
    row = row_of(
        {
            "langfuse.observation.type": "generation",
            "langfuse.observation.input": '[{"role": "user"}]',
            "langfuse.observation.output": "hello",
            "langfuse.observation.model.name": "gpt-4o",
            "langfuse.observation.model.parameters": '{"temperature": 0.2, "stop": ["a", "b"], "stream": true}',
            "langfuse.observation.usage_details": '{"input": 1000, "output": 100}',
            "langfuse.observation.completion_start_time": '"2024-01-01T00:00:00Z"',
            "langfuse.observation.level": "warn",
            "langfuse.observation.prompt.name": "greet",
            "langfuse.observation.prompt.version": 3,
        }
    )

    assert (row.type, row.level, row.input, row.output) == ("GENERATION", "WARNING", '[{"role": "user"}]', "hello")
    assert row.model_parameters == '{"temperature":0.2,"stop":"[\\"a\\",\\"b\\"]","stream":"true"}'
    assert row.usage_details == {"input": 1000, "output": 100, "total": 1100}
    assert row.total_cost == pytest.approx(0.0025 + 0.001)
    assert row.completion_start_time == 1_704_067_200_000_000
    assert (row.prompt_name, row.prompt_version) == ("greet", 3)


def test_spans_carry_no_usage_that_their_children_repeat() -> None:
    row = row_of({"langfuse.observation.type": "span", "langfuse.observation.usage_details": '{"input": 1}'})

    assert row.usage_details == {}


def test_metadata_of_the_fourth_sdk_stays_as_it_was_sent() -> None:
    draft = draft_of(
        make_span(
            {
                "langfuse.observation.metadata.a.b": "12",
                "langfuse.observation.metadata.n": 3,
                "langfuse.trace.metadata.t": "x",
            }
        )
    )

    assert draft.metadata == {"a.b": "12", "n": "3"}
    assert draft.trace_metadata == {"t": "x"}


@pytest.mark.parametrize(
    ("sent", "stored"), [('"v1"', "v1"), ('"12"', '"12"'), ("12", "12"), ('{"a": 1}', '{"a": 1}'), ("plain", "plain")]
)
def test_metadata_of_the_fifth_sdk_loses_its_quotes(sent: str, stored: str) -> None:
    draft = draft_of(make_span({"langfuse.observation.metadata.k": sent}, has_json_metadata=True))

    assert draft.metadata == {"k": stored}


def test_metadata_that_is_no_object_is_kept() -> None:
    assert draft_of(make_span({"langfuse.observation.metadata": "text"})).metadata == {"metadata": "text"}
    assert draft_of(make_span({"langfuse.observation.metadata": '{"a": [1]}'})).metadata == {"a": "[1]"}


@pytest.mark.parametrize(
    ("sent", "tags"),
    [(["a", "b"], ["a", "b"]), ('["a", "b"]', ["a", "b"]), ("a, b", ["a", "b"]), ("a", ["a"]), ("", None), ([], None)],
)
def test_tags_in_all_their_forms(sent: Any, tags: list[str] | None) -> None:
    assert tags_of(sent) == tags


def test_a_scrubbed_session_is_none() -> None:
    assert draft_of(make_span({"session.id": "[Scrubbed due to 'session']"})).session_id is None


def test_generations_of_old_python_sdks_came_as_spans() -> None:
    attributes = {"langfuse.observation.type": "span", "langfuse.observation.model.name": "gpt-4o"}

    assert row_of(attributes, version="3.0.2").type == "GENERATION"
    assert row_of(attributes, version="3.4.0").type == "SPAN"


def test_environment_comes_from_the_span_then_from_the_resource() -> None:
    resource = {"langfuse.environment": "Langfuse-Prod", "deployment.environment": "other"}

    assert row_of({}, resource=resource).environment == "prod"
    assert row_of({"langfuse.environment": "dev"}, resource=resource).environment == "dev"


def test_a_failed_span_is_an_error_unless_a_level_says_otherwise() -> None:
    assert row_of({}, status=2).level == "ERROR"
    assert row_of({"langfuse.observation.level": "debug"}, status=2).level == "DEBUG"
    assert row_of({"langfuse.observation.level": "odd"}).level == "DEFAULT"


def test_gen_ai_chat() -> None:
    row = row_of(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.model": "gpt-4o-2024-08-06",
            "gen_ai.request.temperature": 0.5,
            "gen_ai.usage.input_tokens": 123,
            "gen_ai.usage.output_tokens": 45,
            "gen_ai.usage.cache_read.input_tokens": 23,
            "gen_ai.usage.reasoning.output_tokens": 7,
            "gen_ai.system_instructions": '[{"type":"text","content":"be brief"}]',
            "gen_ai.input.messages": '[{"role":"user","parts":[]}]',
            "gen_ai.output.messages": '[{"role":"assistant"}]',
        },
        scope="opentelemetry.openai",
    )

    assert (row.type, row.model, row.model_parameters) == ("GENERATION", "gpt-4o-2024-08-06", '{"temperature":0.5}')
    assert row.usage_details == {
        "input": 100,
        "output": 38,
        "input_cached_tokens": 23,
        "output_reasoning_tokens": 7,
        "total": 168,
    }
    assert row.input.startswith('[{"role":"system","parts":[{"type":"text"')
    assert row.output == '[{"role":"assistant"}]'


def test_an_agents_usage_is_not_counted_again() -> None:
    row = row_of({"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 5, "gen_ai.request.model": "m"})

    assert (row.type, row.model, row.usage_details) == ("AGENT", "", {})


def test_messages_as_events_and_as_single_attributes() -> None:
    events = [
        SpanEvent("gen_ai.user.message", 0, {"content": "hi"}),
        SpanEvent("gen_ai.choice", 0, {"message": '{"content":"ho"}'}),
    ]
    by_event = row_of({"gen_ai.operation.name": "chat"}, events=events)
    by_attribute = row_of({"gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "hi", "gen_ai.completion": "ho"})

    assert (by_event.input, by_event.output) == ('[{"role":"user","content":"hi"}]', '{"message":{"content":"ho"}}')
    assert (by_attribute.input, by_attribute.output) == ('[{"role":"user","content":"hi"}]', "ho")


def test_input_and_output_may_come_from_different_conventions() -> None:
    row = row_of({"gen_ai.input.messages": "[1]", "gen_ai.completion.0.function_call.name": "f"})

    assert (row.input, row.output) == ("[1]", '[{"function_call":{"name":"f"}}]')


def test_openinference() -> None:
    row = row_of(
        {
            "openinference.span.kind": "LLM",
            "llm.model_name": "gpt-4o-mini",
            "llm.token_count.prompt": 10,
            "llm.token_count.completion": 5,
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.content": "hi",
            "output.value": "ho",
            "tag.tags": ["x"],
            "metadata": '{"tenant": "t1"}',
        },
        scope="openinference.instrumentation.openai",
    )

    assert (row.type, row.model, row.tags) == ("GENERATION", "gpt-4o-mini", ["x"])
    assert (row.input, row.output) == ('[{"role":"user","content":"hi"}]', "ho")
    assert row.usage_details == {"input": 10, "output": 5, "total": 15}
    assert row.metadata["tenant"] == "t1"


@pytest.mark.parametrize(
    ("attributes", "input"),
    [
        ({"gen_ai.prompt.\u00b2.role": "user"}, {"\u00b2": {"role": "user"}}),
        ({f"gen_ai.prompt.{'1' * 5000}": "user"}, {"1" * 5000: "user"}),
        ({"langfuse.observation.prompt.name": "p", "langfuse.observation.prompt.version": "\u00b2"}, None),
        ({"langfuse.observation.prompt.name": "p", "langfuse.observation.prompt.version": "9" * 5000}, None),
    ],
)
def test_what_only_looks_like_a_number_costs_no_span(attributes: dict[str, Any], input: Any) -> None:
    assert draft_of(make_span(attributes)).input == input


def test_keys_nest_to_a_bounded_depth() -> None:
    row = row_of({"gen_ai.prompt.0" + ".a" * 5000: "deep"})

    assert row.input.endswith('.a.a":"deep"' + "}" * 64 + "]")


def test_names_that_anybody_sends_are_not_remembered_for_ever() -> None:
    _mappers_for.cache_clear()
    row_of({f"attribute {number}": 1 for number in range(10_000)})
    assert _mappers_for.cache_info().currsize == 0
    row_of({"input": 1})
    assert _mappers_for.cache_info().currsize == 1
