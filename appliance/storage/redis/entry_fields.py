"""Entries of the queue as the fields of a Redis stream entry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from appliance.model.queue import Encoding, Entry, EntryKind

_KINDS: Final[Mapping[bytes, EntryKind]] = {
    b"otlp-protobuf": "otlp-protobuf",
    b"otlp-json": "otlp-json",
    b"events": "events",
    b"scores": "scores",
}
_ENCODINGS: Final[Mapping[bytes, Encoding]] = {b"": "", b"gzip": "gzip"}


def fields_of(entry: Entry) -> dict[Any, Any]:
    """The fields that store an entry."""
    return {
        b"k": entry.kind,
        b"p": entry.project_id,
        b"e": entry.encoding,
        b"t": entry.accepted_at,
        b"s": entry.sdk_name,
        b"v": entry.sdk_version,
        b"n": entry.items,
        b"z": entry.plain_bytes,
        b"b": entry.body,
    }


def entry_of(fields: Mapping[bytes, bytes]) -> Entry:
    """The entry that these fields store; others become an entry of kind `foreign` with all of them as JSON.

    Other programs may write to the stream, and one such entry must not stop every worker that reads it.
    """
    try:
        return Entry(
            kind=_KINDS[fields[b"k"]],
            project_id=fields[b"p"].decode(),
            encoding=_ENCODINGS[fields[b"e"]],
            accepted_at=int(fields[b"t"]),
            sdk_name=fields[b"s"].decode(),
            sdk_version=fields[b"v"].decode(),
            items=int(fields.get(b"n", 0)),
            plain_bytes=int(fields.get(b"z", 0)),
            body=fields[b"b"],
        )
    except (KeyError, ValueError):
        texts = {name.decode(errors="replace"): value.decode(errors="replace") for name, value in fields.items()}
        return Entry(kind="foreign", project_id="", body=msgspec.json.encode(texts), accepted_at=0)
