"""Files that traces and dataset items refer to."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType


class AnnounceMedia(msgspec.Struct, kw_only=True, rename="camel"):
    """Announces a file of a trace, an observation or a dataset item."""

    content_type: str
    content_length: Annotated[int, Meta(gt=0, lt=2**53)]
    sha256_hash: str = msgspec.field(name="sha256Hash")
    field: str
    trace_id: str | None = None
    observation_id: str | None = None
    dataset_id: str | None = None
    dataset_item_id: str | None = None


class ConfirmMedia(msgspec.Struct, kw_only=True, rename="camel"):
    """Reports how an upload ended."""

    uploaded_at: Annotated[datetime, Meta(tz=True)]
    upload_http_status: Annotated[int, Meta(ge=0, lt=1000)]
    upload_http_error: str | None = None
    upload_time_ms: Annotated[int, Meta(ge=0, lt=2**31)] | None = None


class MediaUpload(msgspec.Struct, kw_only=True, rename="camel"):
    """Where to send the content of an announced file."""

    media_id: str
    upload_url: str | None = None
    """None when the server has the content already."""


class ApiMedia(msgspec.Struct, kw_only=True, rename="camel"):
    """A file with a link that opens it for a while."""

    media_id: str
    content_type: str = ""
    content_length: int = 0
    """Bytes."""
    url: str = ""
    url_expiry: str = ""
    uploaded_at: str | UnsetType = UNSET
    """Left out where a dataset item refers to the file."""


class MediaReference(msgspec.Struct, kw_only=True, rename="camel"):
    """Where a dataset item refers to a file."""

    field: str
    reference_string: str = ""
    json_path: str = ""
    media: ApiMedia
