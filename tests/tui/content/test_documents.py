"""Chats, JSON and wrapped text as lines."""

from __future__ import annotations

from rich.text import Text

from appliance.model.messages import parse_messages
from tui.content.documents import Line, foldable_keys, json_lines, value_lines
from tui.text.palette import palette_of
from tui.widgets.document import wrap

PALETTE = palette_of({})


def plain(lines: list[Line]) -> list[str]:
    return [line.text.plain for line in lines]


def test_openai_tool_calls_and_results() -> None:
    call = {"id": "1", "function": {"name": "find", "arguments": '{"q": 1}'}}
    messages = parse_messages(
        [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "content": "42", "name": "find"},
        ]
    )
    assert messages is not None
    assert [(part.kind, part.title, part.text) for message in messages for part in message.parts] == [
        ("call", "find", '{"q": 1}'),
        ("result", "find", "42"),
    ]


def test_anthropic_and_gemini_parts() -> None:
    anthropic = parse_messages(
        {"system": "be kind", "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]}
    )
    gemini = parse_messages({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]})
    assert anthropic is not None
    assert [message.role for message in anthropic] == ["system", "user"]
    assert gemini is not None
    assert gemini[0].parts[0].text == "hi"


def test_other_values_are_no_chat() -> None:
    for value in ({"a": 1}, [1, 2], "text", None, [{"role": "user", "content": "x"}, 3]):
        assert parse_messages(value) is None


def test_json_folds_to_one_line() -> None:
    value = {"a": {"b": [1, 2]}, "c": "x"}
    assert list(foldable_keys(value)) == ["$", "$.a", "$.a.b"]
    assert plain(json_lines(value, PALETTE, {"$.a"})) == ["{", '  "a": { … },  1 keys', '  "c": "x"', "}"]


def test_nothing_says_so() -> None:
    assert plain(value_lines(None, PALETTE)) == ["nothing"]


def test_wrapping_breaks_at_spaces_and_indents() -> None:
    rows = wrap(Line(Text("one two three four"), indent=2), 10)
    assert [row.plain for row in rows] == ["one two ", "  three ", "  four"]


def test_wrapping_a_long_word_and_control_characters() -> None:
    assert [row.plain for row in wrap(Line(Text("x" * 25)), 10)] == ["x" * 10, "x" * 10, "x" * 5]
    assert "\x1b" not in wrap(Line(Text("a\x1b[2Jb")), 20)[0].plain


def test_files_are_shown_as_people_read_them() -> None:
    reference = "@@@langfuseMedia:type=application/pdf|id=8xze4LTU_a4GOIcva7fQ5u|source=bytes@@@"
    for value in (reference, {"file": reference}):
        assert plain(value_lines(value, PALETTE)) == ["[application/pdf 8xze4LTU_a4GOIcva7fQ5u]"]
