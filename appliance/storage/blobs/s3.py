"""Blobs in a bucket of S3, or of a server that speaks its API.

The library's blocking calls run in threads. Its asynchronous ones call back into Python from threads of their own, and
the process aborts when that happens while the interpreter shuts down.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from appliance.config import S3Settings
from appliance.errors import ConfigError, StoreUnavailable
from appliance.proxies import ask_directly

_READ_BYTES: Final = 4 * 1024 * 1024
_PART_BYTES: Final = 16 * 1024 * 1024
"""What is uploaded at once; S3 takes 10,000 parts."""
_PARTS_AT_ONCE: Final = 2
_DEFAULT_REGION: Final = "us-east-1"


class S3Blobs:
    """One bucket, and a prefix in it."""

    def __init__(self, settings: S3Settings, spool: Path) -> None:
        self.spool = spool
        self._prefix = settings.prefix
        self._bucket = settings.bucket
        try:
            self._store = S3Store(settings.bucket, **_options(settings))
        except (BaseError, ValueError) as error:
            raise ConfigError(f"The media bucket cannot be used: {_first_line(error)}.") from error

    async def put(self, key: str, content: bytes, content_type: str) -> None:
        await self._call(self._put, key, content, content_type)

    async def put_file(self, key: str, file: Path, content_type: str) -> None:
        await self._call(self._put, key, file, content_type)
        file.unlink(missing_ok=True)

    async def delete(self, key: str) -> None:
        with contextlib.suppress(_Missing):
            await self._call(obstore.delete, self._store, self._prefix + key)

    async def size(self, key: str) -> int | None:
        try:
            return int((await self._call(obstore.head, self._store, self._prefix + key))["size"])
        except _Missing:
            return None

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        while start < end:
            stop = min(start + _READ_BYTES, end)
            part = await self._call(self._get, key, start, stop)
            start = stop
            yield part

    def _put(self, key: str, content: bytes | Path, content_type: str) -> None:
        obstore.put(
            self._store,
            self._prefix + key,
            content,
            attributes={"Content-Type": content_type},
            chunk_size=_PART_BYTES,
            max_concurrency=_PARTS_AT_ONCE,
        )

    def _get(self, key: str, start: int, end: int) -> bytes:
        return bytes(obstore.get_range(self._store, self._prefix + key, start=start, end=end))

    async def _call(self, function: Any, *arguments: Any) -> Any:
        with self._translated_errors():
            return await asyncio.to_thread(function, *arguments)

    @contextlib.contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise _Missing(self._sentence(error)) from error
        except (BaseError, OSError) as error:
            raise StoreUnavailable(self._sentence(error), store="The media store") from error

    def _sentence(self, error: Exception) -> str:
        return f"The media bucket {self._bucket} cannot be used: {_first_line(error)}."


class _Missing(StoreUnavailable):
    """The object or the bucket does not exist."""


def _first_line(error: Exception) -> str:
    """What the library says, without the page of details that follows."""
    return str(error).partition("\n")[0].rstrip(" .")


def _options(settings: S3Settings) -> dict[str, Any]:
    endpoint, is_virtual = _address(settings)
    ask_directly(urlsplit(endpoint).hostname or "")
    options: dict[str, Any] = {
        "region": settings.region or _DEFAULT_REGION,
        "virtual_hosted_style_request": is_virtual,
        # One request carries up to a part of a file; what tells a dead server is that nothing comes for a while.
        "client_options": {"allow_http": True, "connect_timeout": "3s", "read_timeout": "15s", "timeout": "5m"},
        "retry_config": {"max_retries": 1, "retry_timeout": timedelta(seconds=10)},
    }
    present = {
        "endpoint": endpoint,
        "access_key_id": settings.access_key_id,
        "secret_access_key": settings.secret_access_key,
        "server_side_encryption": settings.encryption,
        "sse_kms_key_id": settings.kms_key_id,
    }
    return options | {name: value for name, value in present.items() if value}


def _address(settings: S3Settings) -> tuple[str, bool]:
    """The endpoint as the library wants it, and whether the bucket is part of the host name, as in AWS's own SDKs."""
    if not settings.endpoint:
        return "", not settings.force_path_style
    parts = urlsplit(settings.endpoint)
    if settings.force_path_style or _is_ip_address(parts.hostname or ""):
        return settings.endpoint, False
    return parts._replace(netloc=f"{settings.bucket}.{parts.netloc}").geturl(), True


def _is_ip_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
