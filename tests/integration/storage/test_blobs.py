"""What every blob store must do, over files and over a server that speaks S3's API."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.config import MediaSettings, Settings
from appliance.errors import StoreUnavailable
from appliance.storage.blobs.choice import blob_store
from appliance.storage.blobs.contract import BlobStore
from appliance.storage.blobs.spool import receive
from tests.integration.s3_server import S3Server, s3_server

LARGE = os.urandom(1024) * 20 * 1024
"""More than one part of an upload, and more than one piece of a download."""


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@pytest.fixture(params=["files", "s3"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    settings = Settings(data_dir=tmp_path)
    if request.param == "s3":
        server: S3Server = request.getfixturevalue("s3")
        settings = dataclasses.replace(settings, media=MediaSettings(s3=server.settings))
    return blob_store(settings)


async def content(blobs: BlobStore, key: str, start: int, end: int) -> bytes:
    return b"".join([part async for part in blobs.read(key, start, end)])


async def test_what_is_put_is_read(blobs: BlobStore) -> None:
    await blobs.put("p/a.txt", b"0123456789", "text/plain")
    assert await blobs.size("p/a.txt") == 10
    assert await content(blobs, "p/a.txt", 0, 10) == b"0123456789"
    assert await content(blobs, "p/a.txt", 3, 5) == b"34"


async def test_a_blob_is_replaced(blobs: BlobStore) -> None:
    await blobs.put("p/b.txt", b"first and longer", "text/plain")
    await blobs.put("p/b.txt", b"second", "text/plain")
    assert await content(blobs, "p/b.txt", 0, 6) == b"second"
    assert await blobs.size("p/b.txt") == 6


async def test_nothing_has_no_size(blobs: BlobStore) -> None:
    assert await blobs.size("p/none.txt") is None


async def test_what_is_not_there_cannot_be_read(blobs: BlobStore) -> None:
    with pytest.raises(StoreUnavailable):
        await content(blobs, "p/none.txt", 0, 1)


async def test_a_received_file_is_taken_over(blobs: BlobStore) -> None:
    async with receive(blobs.spool) as upload:
        for start in range(0, len(LARGE), 100_000):
            await upload.write(LARGE[start : start + 100_000])
        await upload.finish()
        await blobs.put_file("p/large.bin", upload.path, "application/octet-stream")
    assert list(blobs.spool.iterdir()) == []
    assert await blobs.size("p/large.bin") == len(LARGE)
    assert await content(blobs, "p/large.bin", 0, len(LARGE)) == LARGE
    assert await content(blobs, "p/large.bin", len(LARGE) - 3, len(LARGE)) == LARGE[-3:]


async def test_a_key_of_odd_characters(blobs: BlobStore) -> None:
    await blobs.put("my%20project/-_aB.png", b"x", "image/png")
    assert await content(blobs, "my%20project/-_aB.png", 0, 1) == b"x"


async def test_a_bucket_that_is_away_is_said(tmp_path: Path) -> None:
    server = S3Server()
    blobs = blob_store(Settings(data_dir=tmp_path, media=MediaSettings(s3=server.settings)))
    with pytest.raises(StoreUnavailable, match="media-bucket cannot be used"):
        await blobs.put("p/a.txt", b"x", "text/plain")
    with pytest.raises(StoreUnavailable):
        await blobs.size("p/a.txt")


async def test_a_bucket_that_does_not_exist_is_said(s3: S3Server, tmp_path: Path) -> None:
    missing = dataclasses.replace(s3.settings, bucket="another-bucket")
    blobs = blob_store(Settings(data_dir=tmp_path, media=MediaSettings(s3=missing)))
    with pytest.raises(StoreUnavailable, match="another-bucket"):
        await blobs.put("p/a.txt", b"x", "text/plain")
