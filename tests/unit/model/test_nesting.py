"""The depth of JSON text."""

from __future__ import annotations

import time

import pytest

from appliance.model.nesting import MOST_LEVELS, is_too_deep

_SIGNS = "[" * 1000 + '\\"' + "{" * 1000


@pytest.mark.parametrize(
    ("opening", "closing", "levels"),
    [("[", "]", 1), ('{"a":', "}", 1), ('[1, {"b": "]", "a\\"]":', "}]", 2), ("[ [ ", "]]", 2)],
)
def test_levels_are_counted_whatever_they_are_made_of(opening: str, closing: str, levels: int) -> None:
    times = MOST_LEVELS // levels
    assert not is_too_deep(opening * times + "1" + closing * times)
    assert is_too_deep(f"[{opening * times}1{closing * times}]")
    assert is_too_deep(opening * 100_000)


@pytest.mark.parametrize("text", ["[" + "[]," * 5000 + "1]", f'["{_SIGNS}", "{_SIGNS}"]', "[" * MOST_LEVELS, "", "x"])
def test_neighbours_and_signs_in_strings_are_no_levels(text: str) -> None:
    assert not is_too_deep(text)


@pytest.mark.parametrize("text", ['"' + "[" * 1_000_000, "[" + '"\\' * 500_000 + "[" * 501, "[]" * 500_000])
def test_no_text_takes_long(text: str) -> None:
    began = time.process_time()
    is_too_deep(text)
    assert time.process_time() - began < 5
