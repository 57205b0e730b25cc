"""Media: announce a file, confirm its upload, find it again (contract: SDK contract 5.3)."""

from __future__ import annotations

import base64
import binascii
import time
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance.errors import InvalidData, InvalidRequest, NotFound
from appliance.model.media import EXTENSIONS, HASH_BYTES, Media, blob_key, media_id
from appliance.storage.postgres.datasets import Datasets
from appliance.storage.postgres.media import MediaRecords
from appliance.web.auth import authorize
from appliance.web.bodies import read_json
from appliance.web.links import UPLOAD_VALID_S, Grant, Links
from appliance.web.params import issue
from appliance.web.responses import iso_time, json_response

_TRACE_FIELDS = ("input", "output", "metadata")
_ITEM_FIELDS = ("input", "expectedOutput", "metadata")


class _Announcement(msgspec.Struct, rename="camel"):
    content_type: str
    content_length: Annotated[int, Meta(gt=0, lt=2**53)]
    sha256_hash: str = msgspec.field(name="sha256Hash")
    field: str
    trace_id: str | None = None
    observation_id: str | None = None
    dataset_id: str | None = None
    dataset_item_id: str | None = None


class _Confirmation(msgspec.Struct, rename="camel"):
    uploaded_at: Annotated[datetime, Meta(tz=True)]
    upload_http_status: Annotated[int, Meta(ge=0, lt=1000)]
    upload_http_error: str | None = None
    upload_time_ms: Annotated[int, Meta(ge=0, lt=2**31)] | None = None


async def announce_media(request: Request) -> Response:
    """201 with the id and where to send the content; null instead of an address when it is here already."""
    auth = await authorize(request)
    said = await read_json(request, _Announcement)
    _check(said, request.app.state.context.settings.media.max_content_length)
    if said.dataset_id and not await _datasets(request).exists(auth.project_id, said.dataset_id):
        raise NotFound("Dataset not found")
    identifier = media_id(said.sha256_hash)
    records = media_records(request)
    known = await records.get(auth.project_id, identifier)
    is_here = known is not None and known.content_type == said.content_type and await is_stored(request, known)
    if not is_here:
        await records.announce(
            Media(
                project_id=auth.project_id,
                id=identifier,
                sha256_hash=said.sha256_hash,
                content_type=said.content_type,
                content_length=said.content_length,
                path=blob_key(auth.project_id, identifier, said.content_type),
                uploaded_at=None,
            )
        )
    await _link(records, auth.project_id, identifier, said)
    url = None if is_here else _upload_url(request, auth.project_id, said)
    return json_response({"mediaId": identifier, "uploadUrl": url}, 201)


async def confirm_media(request: Request) -> Response:
    """Keep what the client says of its upload; whether the content is here, we know ourselves."""
    auth = await authorize(request)
    said = await read_json(request, _Confirmation)
    found = await media_records(request).confirm(
        auth.project_id,
        request.path_params["id"],
        uploaded_at=said.uploaded_at,
        http_status=said.upload_http_status,
        http_error=said.upload_http_error,
        time_ms=said.upload_time_ms,
    )
    if not found:
        raise NotFound("Media asset not found")
    return json_response({})


async def get_media(request: Request) -> Response:
    """What is known of a file, and a link to it that opens without keys; 404 until its content is here."""
    auth = await authorize(request)
    found = await media_records(request).get(auth.project_id, request.path_params["id"])
    if found is None:
        raise NotFound("Media asset not found")
    if found.uploaded_at is None:
        raise NotFound("Media not yet uploaded")
    return json_response({**shown_media(request, found), "uploadedAt": iso_time(found.uploaded_at)})


def shown_media(request: Request, media: Media) -> dict[str, Any]:
    """A file as the API shows it, with a fresh link to its content."""
    expires = int(time.time()) + request.app.state.context.settings.media.link_valid_s
    grant = Grant(method="GET", project_id=media.project_id, media_id=media.id, expires=expires)
    return {
        "mediaId": media.id,
        "contentType": media.content_type,
        "contentLength": media.content_length,
        "url": _links(request).url(request, grant),
        "urlExpiry": iso_time(datetime.fromtimestamp(expires, UTC)),
    }


async def is_stored(request: Request, media: Media) -> bool:
    """Whether the content is here: recorded, and still in the blob store."""
    return (
        media.uploaded_at is not None and await request.app.state.context.blobs.size(media.path) == media.content_length
    )


def media_records(request: Request) -> MediaRecords:
    """The media of the application's Postgres."""
    return MediaRecords(request.app.state.context.postgres)


def _check(said: _Announcement, max_length: int) -> None:
    """Raises InvalidData and InvalidRequest for what cannot be a file of exactly one trace or dataset item."""
    if said.content_type not in EXTENSIONS:
        raise InvalidData([issue("contentType", f"Unknown content type {said.content_type!r}", "invalid_enum_value")])
    if not _is_hash(said.sha256_hash):
        raise InvalidData([issue("sha256Hash", "Must be a SHA-256 in base64, 44 characters", "invalid_string")])
    if said.content_length > max_length:
        raise InvalidRequest(f"File size must be less than {max_length} bytes")
    is_item = said.dataset_id is not None or said.dataset_item_id is not None
    if is_item and (said.trace_id is not None or said.observation_id is not None):
        raise InvalidData([issue("traceId", "Give either a trace or a dataset item")])
    if not is_item and not said.trace_id:
        raise InvalidData([issue("traceId", "Required")])
    if is_item and not (said.dataset_id and said.dataset_item_id):
        raise InvalidData([issue("datasetItemId", "Needs datasetId and datasetItemId")])
    if said.field not in (_ITEM_FIELDS if is_item else _TRACE_FIELDS):
        raise InvalidData([issue("field", f"Unknown field {said.field!r}", "invalid_enum_value")])


def _is_hash(text: str) -> bool:
    try:
        digest = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return len(digest) == HASH_BYTES and base64.b64encode(digest).decode() == text


def _upload_url(request: Request, project_id: str, said: _Announcement) -> str:
    grant = Grant(
        method="PUT",
        project_id=project_id,
        media_id=media_id(said.sha256_hash),
        expires=int(time.time()) + UPLOAD_VALID_S,
        content_type=said.content_type,
        content_length=said.content_length,
    )
    return _links(request).url(request, grant)


async def _link(records: MediaRecords, project_id: str, identifier: str, said: _Announcement) -> None:
    if said.trace_id:
        await records.link_trace(
            project_id, identifier, trace_id=said.trace_id, observation_id=said.observation_id, field=said.field
        )
    elif said.dataset_id and said.dataset_item_id:
        await records.link_dataset_item(
            project_id,
            identifier,
            dataset_id=said.dataset_id,
            dataset_item_id=said.dataset_item_id,
            field=said.field,
        )


def _datasets(request: Request) -> Datasets:
    return Datasets(request.app.state.context.postgres)


def _links(request: Request) -> Links:
    return Links(request.app.state.context.settings)


routes = [
    Route("/api/public/media", announce_media, methods=["POST"]),
    Route("/api/public/media/{id:segment}", get_media),
    Route("/api/public/media/{id:segment}", confirm_media, methods=["PATCH"]),
]
