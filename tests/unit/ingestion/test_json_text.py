"""Text as it is stored: as sent, but letters that JSON escapes are letters again."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.ingestion.json_text import to_text
from tests.unit.ingestion.spans import says

VALUES = st.recursive(
    st.text() | st.none() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (r'[{"content":"\u8bf7\u7ffb Gr\u00f6\u00dfe"}]', '[{"content":"请翻 Größe"}]'),
        (r'"\ud83e\udd8a fox"', '"🦊 fox"'),
        (r'["\ud83e"]', r'["\ud83e"]'),
        (r'["\udd8a\ud83e"]', r'["\udd8a\ud83e"]'),
        (r'["\u001b\u0085\n\""]', r'["\u001b\u0085\n\""]'),
        (r'["C:\\u8bf7"]', r'["C:\\u8bf7"]'),
        (r'["\\\u8bf7"]', r'["\\请"]'),
        (r"print('\u8bf7')", r"print('\u8bf7')"),
        (r'{"\u00e9": 1.0, "b": [1e5]}', '{"é": 1.0, "b": [1e5]}'),
        (r'{"cut": "\u8bf', r'{"cut": "\u8bf'),
    ],
)
def test_letters(sent: str, stored: str) -> None:
    assert to_text(sent) == stored


@given(VALUES)
def test_the_value_is_the_same(value: object) -> None:
    sent = json.dumps(value)

    assert json.loads(to_text(sent)) == json.loads(sent)


def test_letters_of_metadata_are_stored_as_letters() -> None:
    said = says({"langfuse.observation.metadata.k": r'["\u8bf7"]'}, scope="langfuse-sdk")

    assert said.draft.metadata["k"] == '["请"]'
