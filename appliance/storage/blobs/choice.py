"""Which blob store the settings ask for."""

from __future__ import annotations

from appliance.config import Settings
from appliance.paths import DataDir
from appliance.storage.blobs.contract import BlobStore
from appliance.storage.blobs.files import FileBlobs


def blob_store(settings: Settings) -> BlobStore:
    """Files below the data directory, or the bucket that is set; nothing is asked of it yet. Raises ConfigError."""
    files = FileBlobs(DataDir(settings.data_dir).media)
    if not settings.media.s3.bucket:
        return files
    from appliance.storage.blobs.s3 import S3Blobs  # the library is only loaded where there is a bucket

    return S3Blobs(settings.media.s3, files.spool)
