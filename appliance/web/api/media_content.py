"""The content of media, uploaded and downloaded by signed links, so without keys."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from appliance.errors import InvalidRequest, NotFound
from appliance.model.media import Media, file_name
from appliance.storage.blobs.spool import receive
from appliance.web.links import PATH, Grant
from appliance.web.ranges import Unsatisfiable, parse_range
from appliance.web.responses import json_response
from appliance.web.state import context_of

_INERT: Final = ("image/", "audio/", "video/")
_SHOWN: Final = frozenset({"application/pdf", "application/json", "text/plain", "text/csv", "text/markdown"})
"""What a browser shows beside pictures, sound and films; it saves everything else."""

_CONFINED: Final = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""A page or drawing with scripts gets an origin of its own, and may load and run nothing."""


async def put_content(request: Request) -> Response:
    """Upload the content of a file by the link of its announcement: exactly that content, or nothing is stored."""
    grant = context_of(request).links.grant_of(request, "PUT")
    media = await _media(request, grant)
    _check_headers(request, grant, media)
    blobs = context_of(request).blobs
    async with receive(blobs.spool) as upload:
        async for part in request.stream():
            await upload.write(part)
            if upload.size > grant.content_length:
                raise InvalidRequest(f"The content is longer than the {grant.content_length} bytes announced")
        if upload.size != grant.content_length:
            raise InvalidRequest(f"The content has {upload.size} bytes, not the {grant.content_length} announced")
        if await upload.finish() != media.sha256_hash:
            raise InvalidRequest("The content does not have the SHA-256 announced")
        await blobs.put_file(media.path, upload.path, grant.content_type)
    await context_of(request).media.mark_uploaded(media.project_id, media.id, grant.content_length)
    return json_response({})


async def get_content(request: Request) -> Response:
    """The content of a file, or the range of it that the header names."""
    grant = context_of(request).links.grant_of(request, "GET")
    media = await _media(request, grant)
    blobs = context_of(request).blobs
    size = await blobs.size(media.path)
    if size is None:
        raise NotFound("Media not yet uploaded")
    headers = _headers(media)
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    if request.headers.get("if-range", headers["ETag"]) == headers["ETag"]:
        header = request.headers.get("range")
    else:
        header = None
    try:
        part = parse_range(header, size)
    except Unsatisfiable:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
    start, end = part or (0, size)
    headers["Content-Length"] = str(end - start)
    if part:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    status = 206 if part else 200
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    return StreamingResponse(blobs.read(media.path, start, end), status, headers)


async def _media(request: Request, grant: Grant) -> Media:
    media = await context_of(request).media.get(grant.project_id, grant.media_id)
    if media is None:
        raise NotFound("Media asset not found")
    return media


def _check_headers(request: Request, grant: Grant, media: Media) -> None:
    """Raises InvalidRequest when the headers already contradict the announcement."""
    headers = request.headers
    content_type = headers.get("content-type", grant.content_type).partition(";")[0].strip().lower()
    if content_type != grant.content_type:
        raise InvalidRequest(f"The content type is {content_type}, not {grant.content_type} as announced")
    length = headers.get("content-length", str(grant.content_length))
    if length != str(grant.content_length):
        raise InvalidRequest(f"The content has {length} bytes, not the {grant.content_length} announced")
    if headers.get("x-amz-checksum-sha256", media.sha256_hash) != media.sha256_hash:
        raise InvalidRequest("The SHA-256 in the header is not the one announced")


def _headers(media: Media) -> dict[str, str]:
    is_shown = media.content_type.startswith(_INERT) or media.content_type in _SHOWN
    name = file_name(media.id, media.content_type)
    headers = {
        "Content-Type": media.content_type,
        "Content-Disposition": f'{"inline" if is_shown else "attachment"}; filename="{name}"',
        "Accept-Ranges": "bytes",
        "ETag": f'"{media.id}"',
        "Cache-Control": "private, max-age=3600, immutable",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    if not _is_inert(media.content_type):
        headers["Content-Security-Policy"] = _CONFINED
    return headers


def _is_inert(content_type: str) -> bool:
    """Whether browsers run nothing of it in our name: XML may be a page with scripts, whatever it calls itself."""
    return content_type == "application/pdf" or (
        content_type.startswith(_INERT) and not content_type.endswith(("xml", "svg"))
    )


ROUTES = [
    Route(PATH + "/{project_id:segment}/{media_id:segment}", get_content),
    Route(PATH + "/{project_id:segment}/{media_id:segment}", put_content, methods=["PUT"]),
]
