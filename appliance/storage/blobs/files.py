"""Blobs as files below one folder, each written aside and then renamed: a file that is there is whole."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from appliance.errors import StoreUnavailable
from appliance.storage.blobs.spool import Upload, remove_abandoned, translated_errors, write_all

_READ_BYTES: Final = 1024 * 1024
_SPOOL: Final = ".uploads"


class FileBlobs:
    """A folder of files, which several processes may share."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.spool = root / _SPOOL

    async def put(self, key: str, content: bytes, content_type: str) -> None:
        with translated_errors():
            await asyncio.to_thread(self._write, self._path(key), content)

    async def put_file(self, key: str, file: Path, content_type: str) -> None:
        with translated_errors():
            await asyncio.to_thread(self._take, file, self._path(key))

    async def delete(self, key: str) -> None:
        with translated_errors():
            await asyncio.to_thread(self._path(key).unlink, missing_ok=True)

    async def size(self, key: str) -> int | None:
        try:
            return self._path(key).stat().st_size
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreUnavailable(f"The media directory cannot be used: {error}.", store="The media store") from error

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        with translated_errors():
            descriptor = await asyncio.to_thread(os.open, self._path(key), os.O_RDONLY)
        try:
            while start < end:
                with translated_errors():
                    part = await asyncio.to_thread(os.pread, descriptor, min(_READ_BYTES, end - start), start)
                if not part:
                    raise StoreUnavailable(f"The file of {key} is shorter than it was.", store="The media store")
                start += len(part)
                yield part
        finally:
            os.close(descriptor)

    def _write(self, path: Path, content: bytes) -> None:
        self.spool.mkdir(parents=True, exist_ok=True, mode=0o700)
        remove_abandoned(self.spool)
        upload = Upload(self.spool)
        try:
            write_all(upload.descriptor, content)
            os.fsync(upload.descriptor)
            self._take(upload.path, path)
        finally:
            upload.discard()

    def _take(self, file: Path, path: Path) -> None:
        """Rename a file that is on the disk already, and bring its new name to the disk too."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.replace(path)
        for folder in (path.parent, self._root):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def _path(self, key: str) -> Path:
        parts = key.split("/")
        if any(part in ("", ".", "..") or part == _SPOOL or "\0" in part for part in parts):
            raise ValueError(f"{key!r} is no key of a blob.")
        return self._root.joinpath(*parts)
