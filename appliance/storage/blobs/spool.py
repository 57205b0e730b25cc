"""Uploads as they arrive: into a file, never whole into memory."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

from appliance.errors import StoreUnavailable

_CHUNK_BYTES: Final = 1024 * 1024
_ABANDONED_AFTER_S: Final = 24 * 3600
"""No upload takes this long; what is older was left by a process that was killed."""


class Upload:
    """A file that is being received: counted and hashed while it grows."""

    def __init__(self, folder: Path) -> None:
        descriptor, name = tempfile.mkstemp(dir=folder, prefix="upload-")
        self.path = Path(name)
        self.descriptor = descriptor
        self._digest = hashlib.sha256()
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self.size = 0

    async def write(self, part: bytes) -> None:
        """Add some bytes; raises StoreUnavailable when they cannot be kept."""
        self._waiting.append(part)
        self._waiting_bytes += len(part)
        self.size += len(part)
        if self._waiting_bytes >= _CHUNK_BYTES:
            await self._flush()

    async def finish(self) -> str:
        """Bring everything to the disk; returns the SHA-256 in base64."""
        await self._flush()
        with translated_errors():
            await asyncio.to_thread(os.fsync, self.descriptor)
        return base64.b64encode(self._digest.digest()).decode()

    def discard(self) -> None:
        """Close the file, and remove it unless it was taken away."""
        os.close(self.descriptor)
        self.path.unlink(missing_ok=True)

    async def _flush(self) -> None:
        content, self._waiting, self._waiting_bytes = b"".join(self._waiting), [], 0
        with translated_errors():
            await asyncio.to_thread(self._append, content)

    def _append(self, content: bytes) -> None:
        self._digest.update(content)
        write_all(self.descriptor, content)


@contextlib.asynccontextmanager
async def receive(folder: Path) -> AsyncIterator[Upload]:
    """A new upload in `folder`, which is made when missing; afterwards nothing is left of it there."""
    with translated_errors():
        upload = await asyncio.to_thread(_begin, folder)
    try:
        yield upload
    finally:
        upload.discard()


def _begin(folder: Path) -> Upload:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    remove_abandoned(folder)
    return Upload(folder)


def remove_abandoned(folder: Path) -> None:
    """Remove uploads that no living process can still be receiving."""
    oldest = time.time() - _ABANDONED_AFTER_S
    for file in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another process does the same
            if file.stat().st_mtime < oldest:
                file.unlink()


def write_all(descriptor: int, content: bytes) -> None:
    """Write everything, however many calls it takes."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


@contextlib.contextmanager
def translated_errors() -> Iterator[None]:
    """Raises StoreUnavailable for a disk that is full, read-only or away."""
    try:
        yield
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        message = f"The media directory cannot be used: {error.strerror}{place}."
        raise StoreUnavailable(message, store="The media store") from error
