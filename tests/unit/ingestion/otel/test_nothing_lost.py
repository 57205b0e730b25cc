"""Whatever a span says is stored: as a field, or in the metadata."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from appliance.ingestion.json_text import parse_or_keep
from appliance.ingestion.otel.conventions.langfuse import LangfuseMapper
from appliance.ingestion.otel.draft import Draft
from appliance.ingestion.otel.prompts import inherit_prompts
from appliance.ingestion.otel.span import SpanEvent
from appliance.ingestion.otel.texts import Texts
from appliance.ingestion.otel.trace import MappedSpan
from tests.unit.ingestion.spans import make_span, says

DETAILS = "gen_ai.client.inference.operation.details"
SYSTEM = {"gen_ai.system_instructions": '[{"type":"text","content":"Be brief."}]'}
QUESTION = {"gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Cold?"}]}]'}
ANSWER = {"gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Yes."}]}]'}


def told(attributes: dict[str, Any], **options: Any) -> MappedSpan:
    return says({"gen_ai.request.model": "gpt-4o"} | attributes, scope="s", **options)


def details(*said: dict[str, Any]) -> list[SpanEvent]:
    return [SpanEvent(DETAILS, 1, dict(attributes)) for attributes in said]


@pytest.mark.parametrize(
    "events",
    [
        details(SYSTEM, QUESTION, ANSWER),
        details(QUESTION, SYSTEM, ANSWER),
        details(ANSWER, QUESTION, SYSTEM),
        details(SYSTEM | QUESTION | ANSWER),
        details(SYSTEM | QUESTION, QUESTION | ANSWER),
    ],
)
def test_events_that_detail_one_call_add_up(events: list[SpanEvent]) -> None:
    draft = told({}, events=events).draft

    assert [message["role"] for message in draft.input] == ["system", "user"]
    assert "Yes." in str(draft.output)


def test_messages_of_further_events_follow() -> None:
    second = {"gen_ai.input.messages": '[{"role":"user","content":"And tomorrow?"}]'}

    draft = told(dict(QUESTION), events=details(second, QUESTION)).draft

    assert [str(message).count("?") for message in draft.input] == [1, 1]


def test_what_events_tell_beside_messages_counts_for_the_span() -> None:
    usage = {"gen_ai.usage.input_tokens": 3, "gen_ai.tool.definitions": '[{"name":"t"}]'}

    said = told({"gen_ai.operation.name": "chat"}, events=details(usage | QUESTION))

    assert said.draft.usage is not None and said.draft.usage["input"] == 3
    assert said.span.attributes["gen_ai.tool.definitions"] == '[{"name":"t"}]'


def test_system_instructions_join_messages_of_another_convention() -> None:
    draft = told({"pydantic_ai.all_messages": '[{"role":"user","content":"Hi"}]'} | SYSTEM).draft

    assert [message["role"] for message in draft.input] == ["system", "user"]


def test_messages_of_events_that_the_attribute_lacks_are_kept() -> None:
    events = [SpanEvent(f"gen_ai.{role}.message", 1, {"content": f"by {role}"}) for role in ("system", "user")]

    draft = told({"input.value": "by user"}, events=events).draft

    assert draft.input == "by user"
    assert "by system" in draft.metadata["otherInput"]


def test_messages_of_developers_are_input() -> None:
    draft = told({}, events=[SpanEvent("gen_ai.developer.message", 1, {"content": "Be kind."})]).draft

    assert draft.input == [{"role": "developer", "content": "Be kind."}]


def test_the_same_messages_in_two_conventions_are_stored_once() -> None:
    openinference = {"llm.input_messages.0.message.role": "user", "llm.input_messages.0.message.content": "Cold?"}

    draft = told(openinference | QUESTION).draft

    assert "otherInput" not in draft.metadata


@pytest.mark.parametrize(
    "attributes",
    [
        {"events": 1277},
        {"events": ["login", "logout"]},
        {"events": "not JSON"},
        {"traceloop.span.kind": "workflow"},
        {"llm.request.type": "unheard-of"},
        {"gen_ai.operation.name": "unheard-of"},
        {"mastra.span.type": "unheard-of"},
        {"mlflow.spanType": "PARSER"},
        {"langsmith.span.kind": "unheard-of"},
        {"genkit:name": "n", "genkit:metadata:subtype": "unheard-of"},
        {"openinference.span.kind": "unheard-of"},
        {"spring.ai.kind": "unheard-of"},
        {"llm.invocation_parameters": "not an object"},
        {"model": 7},
        {"deployment.environment": "a", "deployment.environment.name": "b"},
        {"user.id": "a", "langfuse.user.id": "b"},
        {"langfuse.observation.type": "unheard-of"},
        {"langfuse.observation.level": "unheard-of"},
        {"langfuse.observation.usage_details": "not an object"},
        {"langfuse.observation.prompt.name": "p", "langfuse.observation.prompt.version": "latest"},
        {"user_message": "asked", "input": "given"},
        {"gen_ai.prompt": "asked", "gen_ai.tool.call.arguments": "given"},
        {"ai.operationId": "ai.toolCall", "ai.prompt": "asked", "ai.toolCall.args": "given"},
        {"group_id": "g", "session.id": "s"},
    ],
)
def test_attributes_that_are_not_understood_stay_in_the_metadata(attributes: dict[str, Any]) -> None:
    said = says(dict(attributes), scope="program")
    draft = said.draft
    fields = (draft.name, draft.input, draft.output, draft.environment, draft.user_id, draft.session_id)
    stored = json.dumps([draft.metadata, *fields])

    for value in attributes.values():
        for word in value if isinstance(value, list) else [value]:
            assert str(word) in stored


def test_words_of_goose() -> None:
    draft = says({"trace_input": "list", "user_message": "list", "trace_output": "two files"}, scope="goose").draft

    assert (draft.input, draft.output, draft.trace_input, draft.trace_output) == ("list", "two files") * 2
    assert "otherInput" not in draft.metadata


def test_words_of_litellm() -> None:
    said = says(
        {
            "langfuse.generation.name": "welcome",
            "langfuse.trace.version": "v7",
            "langfuse.trace.release": "r7",
            "langfuse.generation.parent_observation_id": "bb",
        },
        scope="litellm",
    )

    assert (said.draft.name, said.draft.version, said.draft.release) == ("welcome", "v7", "r7")
    assert said.span.parent_id == "bb"


@pytest.mark.parametrize(
    ("attributes", "type"),
    [
        ({"gen_ai.operation.name": "embedding", "gen_ai.request.model": "m"}, "EMBEDDING"),
        ({"gen_ai.operation.name": "image", "gen_ai.request.model": "m"}, "GENERATION"),
        ({"gen_ai.operation.name": "framework", "spring.ai.kind": "chat_client"}, "CHAIN"),
        ({"spring.ai.kind": "vector_store", "db.operation.name": "query", "db.system": "pg_vector"}, "RETRIEVER"),
        ({"spring.ai.kind": "vector_store", "db.operation.name": "add"}, "SPAN"),
        ({"db.vector.query.content": "q"}, "RETRIEVER"),
        ({"db.system": "postgresql", "db.operation.name": "SELECT"}, "SPAN"),
        ({"spring.ai.kind": "tool_call", "spring.ai.tool.definition.name": "t"}, "TOOL"),
    ],
)
def test_types_of_spring_ai(attributes: dict[str, Any], type: str) -> None:
    assert says(attributes, scope="org.springframework.boot").draft.type == type


def test_texts_of_spring_ai() -> None:
    found = says({"db.vector.query.content": "hours", "db.vector.query.response.documents": '["9 to 5"]'}, scope="s")
    tool = says({"spring.ai.kind": "tool_call", "spring.ai.tool.call.arguments": "{}"}, scope="s")

    assert (found.draft.input, found.draft.output) == ("hours", '["9 to 5"]')
    assert tool.draft.input == "{}"


def generation(**options: Any) -> MappedSpan:
    return says({"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}, scope="s", **options)


def test_a_generation_is_linked_to_the_prompt_of_the_nearest_span_around_it() -> None:
    named = {"langfuse.prompt.name": "greet", "langfuse.prompt.version": 2}
    outer = says({"langfuse.prompt.name": "far", "langfuse.prompt.version": 1}, id="a", scope="s")
    inner, step = says(named, id="b", parent="a", scope="s"), says({}, id="c", parent="b", scope="s")
    call, beside = generation(id="d", parent="c"), generation(id="e", parent="x")

    inherit_prompts([call, step, inner, outer, beside])

    assert (call.draft.prompt_name, call.draft.prompt_version) == ("greet", 2)
    assert beside.draft.prompt_name is None
    assert json.loads(inner.draft.metadata["prompt"]) == {"name": "greet", "version": 2}


def test_prompts_within_a_circle_of_parents_end() -> None:
    outer = says({"langfuse.prompt.name": "far", "langfuse.prompt.version": 1}, id="z", scope="s")
    one, other = generation(id="a", parent="b"), generation(id="b", parent="a")

    inherit_prompts([one, other, outer])

    assert one.draft.prompt_name is None


@pytest.mark.parametrize(
    ("value", "known", "expected"),
    [
        ("a", "a", False),
        ("", "a", False),
        ([{"role": "user", "content": "hi"}], "hi", False),
        ('[{"role": "user", "content": "hi"}]', {"messages": ["hi"]}, False),
        ([{"content": "one\ntwo"}], "Message(text='one\\ntwo')", False),
        ([{"role": "system", "content": "more"}], "hi", True),
        ({"n": 5}, "hi", True),
        ({"done": True}, "hi", False),
        ("no", "I do not know", True),
        ("2", "What is 22?", True),
        (["two", "one"], "one, two", False),
        ("東京", "東京都", False),
    ],
)
def test_texts_that_a_value_adds(value: Any, known: Any, expected: bool) -> None:
    assert Texts(known).takes(value) is expected


def test_a_text_is_new_once() -> None:
    texts = Texts("known")

    assert [texts.takes("more"), texts.takes("more")] == [True, False]


@pytest.mark.parametrize(
    ("value", "known"),
    [
        (["b" + "a" * 50], "a" * 20_000),
        ([f"{number}" for number in range(2000)], " ".join(map(str, range(2000, -1, -1)))),
        (["a"], "ab" * 20_000),
    ],
)
def test_values_are_kept_when_comparing_them_takes_too_long(value: Any, known: Any) -> None:
    assert Texts(known, most_chars=len(known) + 10_000).takes(value)


def test_inputs_that_repeat_a_large_one_are_compared_with_texts_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[Any] = []

    def parse(value: Any) -> Any:
        parsed.append(value)
        return parse_or_keep(value)

    monkeypatch.setattr("appliance.ingestion.otel.texts.parse_or_keep", parse)
    numbers = [str(number) for number in range(1000)]
    draft = Draft(input=json.dumps(numbers))

    draft.offer_input(*numbers)

    assert (draft.other_inputs, parsed) == ([], [draft.input])


def test_many_messages_are_joined_without_comparing_each_with_each() -> None:
    compared: list[None] = []

    class Message(dict[str, Any]):
        def __eq__(self, other: object) -> bool:
            compared.append(None)
            return dict.__eq__(self, other)

        __hash__ = None

    first = [Message(role="user", content=str(number)) for number in range(300)]
    more = [Message(content=str(number), role="user") for number in range(200, 500)]
    span = says({"gen_ai.input.messages": first, "gen_ai.prompt": more}, scope="other")

    assert [message["content"] for message in span.draft.input] == [str(number) for number in range(500)]
    assert len(compared) < 3000


def test_many_generations_within_each_other_ask_each_span_once_for_its_prompt() -> None:
    looks: list[None] = []

    class Id(str):
        __slots__ = ()

        def __hash__(self) -> int:
            looks.append(None)
            return super().__hash__()

    prompt = {"langfuse.observation.prompt.name": "p", "langfuse.observation.prompt.version": 1}
    chain = [
        says({"langfuse.observation.type": "generation"}, id=Id(number + 1), parent=Id(number)) for number in range(300)
    ]
    elsewhere = says(prompt, id="x")
    looks.clear()

    inherit_prompts([elsewhere, *chain])

    assert len(looks) < 6000
    assert chain[-1].draft.prompt_name is None


@pytest.mark.parametrize("field", ["usage", "costs"])
def test_the_time_for_details_of_usage_grows_with_their_number(field: str) -> None:
    prefix = {"usage": "langfuse.observation.usage_details", "costs": "langfuse.observation.cost_details"}[field]

    def seconds(count: int) -> float:
        attributes = {f"{prefix}.x{number}": 1 for number in range(count)}
        span = make_span(attributes)
        began = time.process_time()
        LangfuseMapper().map_span(span, draft := Draft())
        took = time.process_time() - began
        assert len(getattr(draft, field)) == count
        return took

    few = min(seconds(2_000) for _ in range(3))
    assert seconds(32_000) < 80 * few


def test_metadata_may_be_called_like_a_prompt() -> None:
    prefix = "langfuse.observation.metadata.prompt"
    span = says({f"{prefix}.name": "mine", f"{prefix}.version": 2})

    assert (span.draft.prompt_name, span.draft.metadata["prompt.name"]) == (None, "mine")
    assert span.draft.metadata["prompt.version"] == "2"
