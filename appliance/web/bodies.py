"""Request bodies: read with a bound, inflated with a bound, decoded with the issues of a 400."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request

from appliance.errors import InvalidData, InvalidRequest, PayloadTooLarge, RequestTimedOut, Undecodable
from appliance.ingestion.accept import inflate
from appliance.issues import Path
from appliance.schema_issues import issue_from, issues_of
from appliance.web.memory_budget import charge_of
from appliance.web.state import context_of

Body = TypeVar("Body")
OtherBody = TypeVar("OtherBody")

# Above this size, work on a body leaves the event loop.
_LARGE_BYTES = 1_000_000

# A body may take this long plus the time for its size at this rate; slower clients would hold memory for hours.
_SLOW_S = 30.0
_SLOWEST_BYTES_PER_S = 32_000

# Every escape of a JSON text: pairs of surrogates, lone ones, and all others.
_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|u[dD][89a-fA-F]..|.)", re.DOTALL)
_REPLACEMENT = rb"\ufffd"

_JSON_START = re.compile(rb"\s*[\[{]")
_MOST_FORM_FIELDS = 1000


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
        return decode(content, body_type)
    except msgspec.ValidationError as error:
        raise await off_loop(len(content), refusal, content, [body_type], error) from None


async def read_json_of_two(
    request: Request, first: type[Body], second: type[OtherBody], *, message: str = "Invalid input"
) -> Body | OtherBody:
    """The body as the first of two types that it matches; raises like `read_json`, with `message` for neither."""
    content = await read_json_text(request)
    try:
        return decode(content, first)
    except msgspec.ValidationError:
        pass
    try:
        return decode(content, second)
    except msgspec.ValidationError as error:
        raise await off_loop(len(content), refusal, content, [first, second], error, (), message) from None


def refusal(
    content: bytes | str,
    body_types: Sequence[Any],
    error: msgspec.ValidationError,
    path: Path = (),
    message: str = "Invalid input",
) -> InvalidData:
    """Why JSON is of none of the types, with the issues of `issues_of`; raises InvalidRequest for what is no JSON."""
    try:
        value = decode(content, object)
    except msgspec.ValidationError as fault:  # of numbers that no float can hold
        return InvalidData([issue_from(fault, path)])
    return InvalidData(issues_of(value, body_types, error, path, message))


def decode(content: bytes | str, body_type: type[Body]) -> Body:
    """JSON as `body_type`; raises msgspec.ValidationError, and InvalidRequest for what is no JSON."""
    try:
        return msgspec.json.decode(content, type=body_type)
    except msgspec.ValidationError:
        raise
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
    """The body of `read_inflated`, with lone surrogates replaced; the memory to decode it is charged.

    No body at all is an empty object, and the fields of a form are one, as in the reference server; JSON that is sent
    as a form, which is how curl sends it, stays JSON.
    """
    content = await read_inflated(request) or b"{}"
    if "x-www-form-urlencoded" in request.headers.get("content-type", "") and not _JSON_START.match(content):
        content = form_as_json(content)
    charge = charge_of(request.scope)
    charge.take_for_json(content)
    charge.take(len(content))
    repaired: bytes = await off_loop(len(content), without_lone_surrogates, content)
    return repaired


def form_as_json(content: bytes) -> bytes:
    """The fields of a form as a JSON object; raises InvalidRequest for more fields than any request has."""
    try:
        fields = parse_qsl(content.decode(errors="replace"), max_num_fields=_MOST_FORM_FIELDS)
    except ValueError:
        raise InvalidRequest(f"The form has more than {_MOST_FORM_FIELDS} fields; send JSON.") from None
    return msgspec.json.encode(dict(fields))


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
