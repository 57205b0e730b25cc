"""JSON columns as other programs may have written them."""

from __future__ import annotations

import json

import msgspec
import pytest

from appliance.storage.postgres.json_values import read_json


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (rb'{"a": "\ud800"}', {"a": "\ufffd"}),
        (rb'{"\udc00x": 1}', {"\ufffdx": 1}),
        (rb'"\uD83D\uDC4D"', "👍"),
        (rb'"\ud83d\ud83d\udc4d"', "\ufffd👍"),
        (rb'"\\ud800"', "\\ud800"),
        (rb'"\\\ud800"', "\\\ufffd"),
        ('{"ü": [1, null]}'.encode(), {"ü": [1, None]}),
    ],
)
def test_half_surrogates_become_a_sign_that_can_be_encoded(stored: bytes, expected: object) -> None:
    assert read_json(stored) == expected
    msgspec.json.encode(read_json(stored))


def test_what_is_nested_too_deeply_is_its_text() -> None:
    deep = "[" * 200_000 + "]" * 200_000
    with pytest.raises(RecursionError):
        json.loads(deep)
    assert read_json(deep) == deep
