"""Tools are found in the shapes of all providers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.ingestion.tools import tool_use

ARGUMENTS = '{"city":"Paris"}'
OPENAI = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": ARGUMENTS}}


@pytest.mark.parametrize(
    "made",
    [
        {"role": "assistant", "content": None, "tool_calls": [OPENAI]},
        {"choices": [{"message": {"tool_calls": [OPENAI]}}], "tools": [{"type": "function", "name": "look"}]},
        [{"type": "function_call", "call_id": "c1", "name": "look", "arguments": ARGUMENTS}],
        {"content": [{"type": "tool_use", "id": "c1", "name": "look", "input": {"city": "Paris"}}]},
        {"content": {"parts": [{"functionCall": {"id": "c1", "name": "look", "args": {"city": "Paris"}}}]}},
        [{"toolUse": {"toolUseId": "c1", "name": "look", "input": {"city": "Paris"}}}],
        [{"toolCallId": "c1", "toolName": "look", "input": ARGUMENTS}],
        [{"parts": [{"type": "tool_call", "id": "c1", "name": "look", "arguments": {"city": "Paris"}}]}],
        {"tool_calls": [{"id": "c1", "name": "look", "args": {"city": "Paris"}, "type": "tool_call"}]},
        {"content": [{"toolRequest": {"name": "look", "ref": "c1", "input": {"city": "Paris"}}}]},
        {"content": [{"id": "c1", "name": "look", "arguments": ARGUMENTS}]},
        {
            "content": [{"type": "tool_use", "id": "c1", "name": "look", "input": {"city": "Paris"}}],
            "tool_calls": [{"id": "c1", "name": "look", "args": {"city": "Paris"}, "type": "tool_call"}],
        },
    ],
)
def test_a_call_is_found_once(made: Any) -> None:
    use = tool_use("", json.dumps(made, separators=(",", ":")))

    assert use.names == ["look"]
    assert json.loads(use.calls[0]) == {
        "id": "c1",
        "name": "look",
        "arguments": ARGUMENTS,
        "type": "function",
        "index": 0,
    }


@pytest.mark.parametrize(
    ("asked", "attributes"),
    [
        (
            {"tools": [{"type": "function", "function": {"name": "look", "description": "d", "parameters": {"a": 1}}}]},
            {},
        ),
        ({}, {"ai.prompt.tools": ['{"name":"look","description":"d","inputSchema":{"a":1}}']}),
        ({}, {"llm.tools.0.tool.json_schema": '{"name":"look","description":"d","input_schema":{"a":1}}'}),
        ({}, {"gen_ai.tool.definitions": '[{"type":"function","name":"look","description":"d","parameters":{"a":1}}]'}),
    ],
)
def test_tools_that_were_offered_are_known(asked: Any, attributes: dict[str, Any]) -> None:
    use = tool_use(json.dumps(asked), "", attributes)

    assert {name: json.loads(text) for name, text in use.definitions.items()} == {
        "look": {"description": "d", "parameters": {"a": 1}}
    }


def test_the_same_function_may_be_called_twice() -> None:
    use = tool_use("", json.dumps({"tool_calls": [OPENAI, {**OPENAI, "id": "c2"}]}))

    assert use.names == ["look", "look"]
    assert [json.loads(call)["index"] for call in use.calls] == [0, 1]


def test_text_about_tools_calls_none() -> None:
    assert tool_use("", "The tool is a function.").names == []
    assert tool_use("", '{"answer": "use the tool", "type": "function"}').names == []


VALUES = st.recursive(
    st.none() | st.booleans() | st.text() | st.integers(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["id", "name", "arguments", "function", "tools", "x"]), inner)
    ),
)


@given(VALUES, VALUES)
def test_any_value_is_survived(asked: Any, made: Any) -> None:
    use = tool_use(json.dumps(asked), json.dumps(made), {"gen_ai.tool.definitions": asked})

    assert len(use.calls) == len(use.names)
    assert all(isinstance(text, str) for text in [*use.names, *use.definitions.values(), *use.definitions])
