"""Bounded inflating."""

from __future__ import annotations

import gzip

import pytest

from appliance.errors import PayloadTooLarge, Undecodable
from appliance.ingestion.accept import inflate


def test_members_are_joined() -> None:
    assert inflate(gzip.compress(b"one ") + gzip.compress(b"two"), 7) == b"one two"


def test_a_bomb_is_refused() -> None:
    with pytest.raises(PayloadTooLarge):
        inflate(gzip.compress(b"\0" * 1_000_000), 999_999)


@pytest.mark.parametrize("content", [b"no gzip", gzip.compress(b"cut off")[:-1], gzip.compress(b"a") + b"garbage"])
def test_anything_but_whole_gzip_is_refused(content: bytes) -> None:
    with pytest.raises(Undecodable):
        inflate(content, 1000)
