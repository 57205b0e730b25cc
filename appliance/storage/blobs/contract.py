"""What every blob store can do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol


class BlobStore(Protocol):
    """Contents by key (`folder/name`). Every method raises StoreUnavailable while the store cannot be used."""

    spool: Path
    """The folder where uploads are received; `put_file` takes files from here."""

    async def put(self, key: str, content: bytes, content_type: str) -> None:
        """Store durably and all at once; what the key held before is replaced."""

    async def put_file(self, key: str, file: Path, content_type: str) -> None:
        """Same with the content of a file, which is gone afterwards."""

    async def delete(self, key: str) -> None:
        """Delete what the key holds, if anything."""

    async def size(self, key: str) -> int | None:
        """How many bytes are stored; None when there is nothing."""

    def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from `start` up to, but without, `end`, in chunks that fit in memory."""
