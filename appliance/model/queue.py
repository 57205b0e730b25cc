"""Accepted requests on their way from web to a worker."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

EntryKind = Literal["otlp-protobuf", "otlp-json", "events", "scores", "foreign"]
"""What a body holds; `foreign` marks an entry that another program wrote to the queue."""
Encoding = Literal["", "gzip"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One accepted request."""

    kind: EntryKind
    project_id: str
    body: bytes
    """OTLP as received (see `encoding`); for events and scores a JSON list of the valid ones."""
    accepted_at: int
    """Microseconds since the epoch."""
    encoding: Encoding = ""
    sdk_name: str = ""
    sdk_version: str = ""
    items: int = 0
    """Spans or events in the body."""
    plain_bytes: int = 0
    """Size of the body after decompression; 0 when unknown."""

    @property
    def weight(self) -> int:
        """Bytes after decompression, known or estimated; the cost of decoding grows with them."""
        # Compressed bodies grow to about four times their size.
        return self.plain_bytes or len(self.body) * (4 if self.encoding else 1)


@dataclass(frozen=True, slots=True)
class Delivery:
    """An entry that one consumer holds until it acknowledges it."""

    id: str
    entry: Entry
    attempts: int
    """How often the entry was delivered, this time included."""

    @property
    def is_without_body(self) -> bool:
        """Whether the body was too large to be delivered with the entry."""
        return not self.entry.body

    def without_body(self) -> Delivery:
        """The same delivery without the body, which stays in the queue."""
        return dataclasses.replace(self, entry=dataclasses.replace(self.entry, body=b""))
