"""How entries are grouped for decoding."""

from __future__ import annotations

from appliance.model.queue import Delivery, Entry
from appliance.worker.runner import MAX_GROUP_BYTES, SUSPECT_AFTER, decode_groups


def delivery(id: str, size: int, attempts: int = 1) -> Delivery:
    return Delivery(id, Entry(kind="events", project_id="p", body=b"x" * size, accepted_at=0), attempts)


def ids(groups: list[list[Delivery]]) -> list[str]:
    return ["".join(delivery.id for delivery in group) for group in groups]


def test_small_entries_share_a_piece() -> None:
    assert ids(decode_groups([delivery("a", 1), delivery("b", 1)])) == ["ab"]


def test_a_piece_is_bounded() -> None:
    half = MAX_GROUP_BYTES // 2
    assert ids(decode_groups([delivery("a", half), delivery("b", half), delivery("c", 1)])) == ["ab", "c"]
    assert ids(decode_groups([delivery("a", 3 * MAX_GROUP_BYTES), delivery("b", 1)])) == ["a", "b"]


def test_an_entry_tried_too_often_stands_alone() -> None:
    assert ids(decode_groups([delivery("a", 1), delivery("b", 1, attempts=SUSPECT_AFTER + 1), delivery("c", 1)])) == [
        "a",
        "b",
        "c",
    ]


def test_no_entries_no_pieces() -> None:
    assert decode_groups([]) == []
