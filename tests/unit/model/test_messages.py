"""Parts of messages in the GenAI semantic conventions, current and previous, are text and not JSON."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.model.messages import Message, Part, parse_messages, summary

PARTS: list[tuple[dict[str, Any], Part]] = [
    ({"type": "text", "content": "Paris [red]"}, Part("text", "Paris [red]")),
    ({"type": "text", "text": "Paris"}, Part("text", "Paris")),
    ({"type": "reasoning", "content": "Think."}, Part("thinking", "Think.")),
    ({"type": "reasoning", "summary": [{"type": "summary_text", "text": "Think."}]}, Part("thinking", "Think.")),
    ({"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"q": 1}}, Part("call", '{"q": 1}', "weather")),
    ({"type": "tool_call", "name": "weather", "arguments": '{"q": 1}'}, Part("call", '{"q": 1}', "weather")),
    ({"type": "tool_call", "name": "now", "arguments": None}, Part("call", "{}", "now")),
    ({"type": "tool_call_response", "id": "c1", "response": "rainy"}, Part("result", "rainy", "c1")),
    ({"type": "tool_call_response", "id": "c1", "result": "rainy"}, Part("result", "rainy", "c1")),
    (
        {"type": "tool_call_response", "id": "c1", "response": [{"type": "text", "content": "rainy"}]},
        Part("result", "rainy", "c1"),
    ),
    (
        {"type": "blob", "mime_type": "image/png", "modality": "image", "content": "QUJD"},
        Part("media", "image/png QUJD", "image"),
    ),
    (
        {"type": "uri", "mime_type": "image/png", "modality": "image", "uri": "https://x/y.png"},
        Part("media", "image/png https://x/y.png", "image"),
    ),
    ({"type": "file", "modality": "image", "file_id": "f-1"}, Part("media", "f-1", "image")),
    (
        {"type": "server_tool_call", "id": "s", "name": "search", "server_tool_call": {"q": "x"}},
        Part("call", '{"q": "x"}', "search"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("part", "read"), PARTS)
def test_a_part_of_a_message(part: dict[str, Any], read: Part) -> None:
    message = Message("assistant", [read])
    for key in ("parts", "content"):
        written = {"role": "assistant", key: [part], "finish_reason": "stop"}
        assert parse_messages([written]) == [message]
        assert parse_messages(written) == [message]
        assert parse_messages({"messages": [written]}) == [message]
        assert parse_messages([{"index": 0, "finish_reason": "stop", "message": written}]) == [message]


@pytest.mark.parametrize(("part", "read"), PARTS)
def test_a_part_without_a_message(part: dict[str, Any], read: Part) -> None:
    (message,) = parse_messages([part, part]) or []
    assert message.parts == [read, read]


def test_items_of_the_responses_api_among_messages() -> None:
    found = parse_messages(
        [
            {"role": "user", "content": [{"type": "input_text", "text": "Weather?"}]},
            {"type": "function_call", "call_id": "c", "name": "weather", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "rainy"},
        ]
    )
    assert found is not None
    assert [(message.role, message.parts[0].kind) for message in found] == [
        ("user", "text"), ("assistant", "call"), ("tool", "result"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "value", [{"type": "file", "path": "x"}, {"type": "text"}, [{"type": "order", "content": 1}, 2]]
)
def test_what_is_no_chat_stays_json(value: object) -> None:
    assert parse_messages(value) is None


def test_one_line_of_a_chat() -> None:
    asked = {"role": "user", "parts": [{"type": "text", "content": "Weather?"}]}
    called = {"role": "assistant", "parts": [{"type": "tool_call", "name": "weather", "arguments": {}}]}
    assert (summary([asked]), summary([asked, called]), summary("text"), summary({"a": 1})) == (
        "Weather?", "→ weather", "", "",
    )  # fmt: skip
