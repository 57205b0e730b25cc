"""What a terminal may be given of text from outside."""

from __future__ import annotations

import pytest

from appliance.model.printable import on_one_line, printable


@pytest.mark.parametrize(
    "sign",
    [
        *("\x00", "\x07", "\x08", "\x1b", "\x7f", "\x80", "\x9b", "\x9d"),
        *("\u200b", "\u200e", "\u202e", "\u2066", "\u2069", "\u061c", "\ufeff", "\u00ad", "\U000e0041"),
        *("\ud800", "\udcff"),
    ],
)
def test_what_a_terminal_obeys_or_hides_is_replaced_one_for_one(sign: str) -> None:
    assert printable(f"a{sign}b") == "a·b"


@pytest.mark.parametrize("sign", ["\n", "\r", "\t", "\v", "\x1c", "\x85", "\u2028", "\u2029", "\u00a0"])
def test_white_space_becomes_a_space(sign: str) -> None:
    assert printable(f"a{sign}b") == "a b"
    assert on_one_line(f"a{sign}{sign}b{sign}") == "a b"


def test_text_of_any_script_stays() -> None:
    text = "naïve Ω 日本 한국 🙂 e\u0301 ‹…› →"
    assert printable(text) == text
    assert printable("a\nb\x1b", keep="\n") == "a\nb·"
