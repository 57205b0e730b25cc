"""Files that traces and dataset items refer to."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from appliance.model.media import EXTENSIONS

HASH_FAULT: Final = "Must be a 44 character base64 encoded SHA-256 hash"
_HASH_PATTERN: Final = r"^[A-Za-z0-9+/=]{44}\Z"
_TYPES_PATTERN: Final = rf"^(?:{'|'.join(map(re.escape, EXTENSIONS))})\Z"
_TYPES_FAULT: Final = f"Invalid content type. Only supporting {', '.join(EXTENSIONS)}"

ContentType = Annotated[str, Meta(pattern=_TYPES_PATTERN, extra={"values": tuple(EXTENSIONS), "message": _TYPES_FAULT})]
ContentLength = Annotated[int, Meta(gt=0, lt=2**53)]
ContentHash = Annotated[str, Meta(pattern=_HASH_PATTERN, extra={"message": HASH_FAULT})]
Id = Annotated[str, Meta(min_length=1)]


class AnnounceTraceMedia(msgspec.Struct, kw_only=True, rename="camel"):
    """Announces a file of a trace or an observation."""

    content_type: ContentType
    content_length: ContentLength
    sha256_hash: ContentHash = msgspec.field(name="sha256Hash")
    trace_id: Id
    observation_id: str | None = None
    field: Literal["input", "output", "metadata"]
    dataset_id: None = None
    dataset_item_id: None = None


class AnnounceItemMedia(msgspec.Struct, kw_only=True, rename="camel"):
    """Announces a file of a dataset item."""

    content_type: ContentType
    content_length: ContentLength
    sha256_hash: ContentHash = msgspec.field(name="sha256Hash")
    dataset_id: Id
    dataset_item_id: Id
    field: Literal["input", "expectedOutput", "metadata"]
    trace_id: None = None
    observation_id: None = None


AnnounceMedia = AnnounceTraceMedia | AnnounceItemMedia


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
