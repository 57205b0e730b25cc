"""Entries survive the queue, and what another program wrote there does not stop a worker."""

from __future__ import annotations

import msgspec
import pytest

from appliance.model.queue import Entry
from appliance.storage.redis.entry_fields import entry_of, fields_of

ENTRY = Entry(
    kind="otlp-json",
    project_id="p",
    body=b"\x1f\x8b",
    accepted_at=5,
    encoding="gzip",
    sdk_name="python",
    sdk_version="3.0",
    items=2,
    plain_bytes=9,
)


def stored(entry: Entry) -> dict[bytes, bytes]:
    return {
        name: value if isinstance(value, bytes) else str(value).encode() for name, value in fields_of(entry).items()
    }


@pytest.mark.parametrize("entry", [ENTRY, Entry(kind="events", project_id="p", body=b"[]", accepted_at=1)])
def test_an_entry_is_read_as_it_was_stored(entry: Entry) -> None:
    assert entry_of(stored(entry)) == entry


@pytest.mark.parametrize(
    "change", [{b"k": b"mail"}, {b"k": b"foreign"}, {b"k": b"\xff"}, {b"e": b"zstd"}, {b"t": b"soon"}, {b"p": b"\xff"}]
)
def test_an_entry_with_unknown_fields_is_foreign(change: dict[bytes, bytes]) -> None:
    entry = entry_of(stored(ENTRY) | change)

    [(name, value)] = change.items()
    assert entry.kind == "foreign"
    assert msgspec.json.decode(entry.body)[name.decode()] == value.decode(errors="replace")


def test_an_entry_with_missing_fields_is_foreign() -> None:
    assert entry_of({b"message": b"hello"}) == Entry(
        kind="foreign", project_id="", body=b'{"message":"hello"}', accepted_at=0
    )
