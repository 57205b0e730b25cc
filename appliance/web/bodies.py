"""Request bodies: read with a bound, inflated with a bound, decoded with the issues of a 400."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request

from appliance.errors import InvalidData, InvalidRequest, PayloadTooLarge, RequestTimedOut, Undecodable
from appliance.ingestion.accept import inflate
from appliance.web.memory_budget import charge_of
from appliance.web.state import context_of

Body = TypeVar("Body")

# Above this size, work on a body leaves the event loop.
_LARGE_BYTES = 1_000_000

# A body may take this long plus the time for its size at this rate; slower clients would hold memory for hours.
_SLOW_S = 30.0
_SLOWEST_BYTES_PER_S = 32_000

# Every escape of a JSON text: pairs of surrogates, lone ones, and all others.
_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|u[dD][89a-fA-F]..|.)", re.DOTALL)
_REPLACEMENT = rb"\ufffd"

_VALIDATION_PATH = re.compile(r" - at `(key in )?\$(?P<path>[^`]*)`$")


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body as sent.

    Raises PayloadTooLarge as soon as it passes `limit` bytes, Overloaded when no memory is free for more of it, and
    RequestTimedOut when it comes too slowly.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise PayloadTooLarge(f"The request body is larger than {limit} bytes.")
    charge = charge_of(request.scope)
    began = time.monotonic()
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        parts.append(part)
        size += len(part)
        if size > limit:
            raise PayloadTooLarge(f"The request body is larger than {limit} bytes.")
        charge.take(2 * len(part))  # the parts, and all of them joined
        if time.monotonic() - began > _SLOW_S + size / _SLOWEST_BYTES_PER_S:
            raise RequestTimedOut("The request body came too slowly.")
    body = b"".join(parts)
    charge.give_back(size)
    return body


async def read_json(request: Request, body_type: type[Body]) -> Body:
    """The body as `body_type`; raises InvalidRequest when it is no JSON, InvalidData when it does not match."""
    content = await read_json_text(request)
    try:
        return msgspec.json.decode(content, type=body_type)
    except msgspec.ValidationError as error:
        raise InvalidData([issue_from(error)]) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidRequest("Invalid JSON") from None


async def read_inflated(request: Request) -> bytes:
    """The body, inflated when it came as gzip; raises PayloadTooLarge, and InvalidRequest for broken gzip."""
    limit = context_of(request).settings.ingestion.max_body_bytes
    content = await read_body(request, limit)
    if "gzip" not in request.headers.get("content-encoding", "").lower():
        return content
    try:
        inflated: bytes = await off_loop(len(content), inflate, content, limit, charge_of(request.scope).take)
    except Undecodable as error:
        raise InvalidRequest(error.message) from None
    return inflated


async def read_json_text(request: Request) -> bytes:
    """The body of `read_inflated`, with lone surrogates replaced; the memory to decode it is charged."""
    content = await read_inflated(request)
    charge = charge_of(request.scope)
    charge.take_for_json(content)
    charge.take(len(content))
    repaired: bytes = await off_loop(len(content), without_lone_surrogates, content)
    return repaired


def without_lone_surrogates(content: bytes) -> bytes:
    """JSON text with U+FFFD for each escape of half a character, which JavaScript writes for text cut in an emoji."""
    if rb"\ud" not in content and rb"\uD" not in content:
        return content
    repaired = bytearray(content)
    for escape in _ESCAPE.finditer(content):
        start, end = escape.span()
        if end - start == len(_REPLACEMENT):  # pairs are longer, other escapes shorter
            repaired[start:end] = _REPLACEMENT
    return bytes(repaired)


async def off_loop(size: int, work: Any, *args: Any) -> Any:
    """Run `work` here when `size` (bytes) is small, else in a thread."""
    return await asyncio.to_thread(work, *args) if size > _LARGE_BYTES else work(*args)


def issue_from(error: msgspec.ValidationError, *prefix: str) -> dict[str, object]:
    """One entry of a 400's issue list, with the path below `prefix` as a list."""
    text = str(error)
    path: list[str | int] = list(prefix)
    if match := _VALIDATION_PATH.search(text):
        text = text[: match.start()]
        for name, index in re.findall(r"\.([^.\[]+)|\[([^\]]*)\]", match["path"]):
            path.append(name or (int(index) if index.isdigit() else index))
    return {"code": "invalid_type", "path": path, "message": text}
