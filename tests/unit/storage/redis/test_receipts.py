"""What the hash of counts says."""

from __future__ import annotations

from appliance.model.receipts import Count
from appliance.storage.redis.receipts import receipts_of


def test_what_became_nothing_else_waits() -> None:
    fields = {
        b"accepted.requests:p": b"10",
        b"accepted.items:p": b"80",
        b"written.requests:p": b"6",
        b"written.items:p": b"48",
        b"refused.items:p": b"2",
        b"dead.requests:p": b"1",
        b"dead.items:p": b"8",
        b"dropped.requests:p": b"1",
        b"dropped.items:p": b"8",
        b"accepted.requests:with:colon": b"2",
    }
    receipts = receipts_of(fields)
    assert receipts["p"].waiting == Count(requests=2, items=14)
    assert receipts["with:colon"].waiting == Count(requests=2, items=0)


def test_what_never_was_accepted_does_not_make_less_than_nothing_wait() -> None:
    receipts = receipts_of({b"written.requests:p": b"1", b"written.items:p": b"4"})
    assert receipts["p"].waiting == Count()


def test_nothing_is_said_of_unknown_projects() -> None:
    assert receipts_of({}) == {}
