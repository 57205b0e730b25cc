"""What web mends in a body before it is read."""

from __future__ import annotations

import msgspec
import pytest

from appliance.web.bodies import without_lone_surrogates


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (rb'"\ud83d\ude00"', "\U0001f600"),
        (rb'"\uD83D"', "\ufffd"),
        (rb'"\ude00\ud83d"', "\ufffd\ufffd"),
        (rb'"\ud83d\ud83d\ude00"', "\ufffd\U0001f600"),
        (rb'"\\ud83d"', r"\ud83d"),
        (rb'"\\\ud83d\n"', "\\\ufffd\n"),
        (rb'"\u00e9"', "\u00e9"),
    ],
)
def test_only_lone_surrogates_are_replaced(text: bytes, meant: str) -> None:
    assert msgspec.json.decode(without_lone_surrogates(text)) == meant
