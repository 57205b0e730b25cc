"""Media: announce a file, confirm its upload, find it again (contract: SDK contract 5.3)."""

from __future__ import annotations

import base64
import binascii
import time
from datetime import UTC, datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance import issues
from appliance.api_types.media import (
    HASH_FAULT,
    AnnounceItemMedia,
    AnnounceMedia,
    AnnounceTraceMedia,
    ApiMedia,
    ConfirmMedia,
    MediaUpload,
)
from appliance.errors import InvalidData, InvalidRequest, NotFound
from appliance.model.media import HASH_BYTES, Media, blob_key, media_id
from appliance.storage.postgres.media import MediaRecords
from appliance.web.auth import authorize
from appliance.web.bodies import read_json, read_json_of_two
from appliance.web.links import UPLOAD_VALID_S, Grant
from appliance.web.responses import iso_time, json_response
from appliance.web.state import context_of

_ONE_OWNER: Final = (
    "Provide either traceId with field input/output/metadata, or datasetId + datasetItemId with field "
    "input/expectedOutput/metadata."
)


async def announce_media(request: Request) -> Response:
    """201 with the id and where to send the content; null instead of an address when it is here already."""
    auth = await authorize(request)
    body = await read_json_of_two(request, AnnounceTraceMedia, AnnounceItemMedia, message=_ONE_OWNER)
    _check(body, context_of(request).settings.media.max_content_length)
    if body.dataset_id and not await context_of(request).datasets.exists(auth.project_id, body.dataset_id):
        raise NotFound("Dataset not found")
    identifier = media_id(body.sha256_hash)
    records = context_of(request).media
    known = await records.get(auth.project_id, identifier)
    is_here = known is not None and known.content_type == body.content_type and await is_stored(request, known)
    if not is_here:
        await records.announce(
            Media(
                project_id=auth.project_id,
                id=identifier,
                sha256_hash=body.sha256_hash,
                content_type=body.content_type,
                content_length=body.content_length,
                path=blob_key(auth.project_id, identifier, body.content_type),
                uploaded_at=None,
            )
        )
    await _link(records, auth.project_id, identifier, body)
    url = None if is_here else _upload_url(request, auth.project_id, body)
    return json_response(MediaUpload(media_id=identifier, upload_url=url), 201)


async def confirm_media(request: Request) -> Response:
    """Keep what the client reports of its upload; whether the content is here is known without it."""
    auth = await authorize(request)
    body = await read_json(request, ConfirmMedia)
    is_known = await context_of(request).media.confirm(
        auth.project_id,
        request.path_params["id"],
        uploaded_at=body.uploaded_at,
        http_status=body.upload_http_status,
        http_error=body.upload_http_error,
        time_ms=body.upload_time_ms,
    )
    if not is_known:
        raise NotFound("Media asset not found")
    return json_response({})


async def get_media(request: Request) -> Response:
    """What is known of a file, and a link to it that opens without keys; 404 until its content is here."""
    auth = await authorize(request)
    media = await context_of(request).media.get(auth.project_id, request.path_params["id"])
    if media is None:
        raise NotFound("Media asset not found")
    if media.uploaded_at is None:
        raise NotFound("Media not yet uploaded")
    shown = api_media(request, media)
    shown.uploaded_at = iso_time(media.uploaded_at)
    return json_response(shown)


def api_media(request: Request, media: Media) -> ApiMedia:
    """The file with a fresh link to its content."""
    expires = int(time.time()) + context_of(request).settings.media.link_valid_s
    grant = Grant(method="GET", project_id=media.project_id, media_id=media.id, expires=expires)
    return ApiMedia(
        media_id=media.id,
        content_type=media.content_type,
        content_length=media.content_length,
        url=context_of(request).links.url(request, grant),
        url_expiry=iso_time(datetime.fromtimestamp(expires, UTC)),
    )


async def is_stored(request: Request, media: Media) -> bool:
    """Whether the content is here: recorded, and still in the blob store."""
    return media.uploaded_at is not None and await context_of(request).blobs.size(media.path) == media.content_length


def _check(body: AnnounceMedia, max_length: int) -> None:
    """Raises InvalidData and InvalidRequest for what cannot be a file."""
    if not _is_hash(body.sha256_hash):
        raise InvalidData([issues.no_match(("sha256Hash",), "/^[A-Za-z0-9+/=]{44}$/", HASH_FAULT)])
    if body.content_length > max_length:
        raise InvalidRequest(f"File size must be less than {max_length} bytes")


def _is_hash(text: str) -> bool:
    try:
        digest = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return len(digest) == HASH_BYTES and base64.b64encode(digest).decode() == text


def _upload_url(request: Request, project_id: str, body: AnnounceMedia) -> str:
    grant = Grant(
        method="PUT",
        project_id=project_id,
        media_id=media_id(body.sha256_hash),
        expires=int(time.time()) + UPLOAD_VALID_S,
        content_type=body.content_type,
        content_length=body.content_length,
    )
    return context_of(request).links.url(request, grant)


async def _link(records: MediaRecords, project_id: str, identifier: str, body: AnnounceMedia) -> None:
    if body.trace_id:
        await records.link_trace(
            project_id, identifier, trace_id=body.trace_id, observation_id=body.observation_id, field=body.field
        )
    elif body.dataset_id and body.dataset_item_id:
        await records.link_dataset_item(
            project_id,
            identifier,
            dataset_id=body.dataset_id,
            dataset_item_id=body.dataset_item_id,
            field=body.field,
        )


ROUTES = [
    Route("/api/public/media", announce_media, methods=["POST"]),
    Route("/api/public/media/{id:segment}", get_media),
    Route("/api/public/media/{id:segment}", confirm_media, methods=["PATCH"]),
]
