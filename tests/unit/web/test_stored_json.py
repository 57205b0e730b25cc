"""Stored texts as JSON values."""

from __future__ import annotations

import pytest

from appliance.web.stored_json import parsed


@pytest.mark.parametrize("text", ["[" * 100_000 + "]" * 100_000, '{"a":' * 5_000 + "1" + "}" * 5_000, "[1", "-", "tru"])
def test_text_that_is_no_readable_json_is_shown_as_text(text: str) -> None:
    assert parsed(text) == text
