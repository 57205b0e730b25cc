"""A large body into several small ones of the same kind, which together say the same.

The work of decoding and the memory it needs grow with a body, so a large one is decoded piece by piece. The same body
is always split in the same way, and a request in pieces comes to the same rows as several small requests would.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from appliance.errors import Undecodable
from appliance.ingestion.otel.wire import field, fields
from appliance.storage.redis.ingest_stream import Kind

_CHILD_FIELDS: Final = (1, 2, 2)
"""Protobuf numbers of resource_spans in an export, scope_spans in that, spans in that."""
_CHILD_KEYS: Final = ("resourceSpans", "scopeSpans", "spans")

_object: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_list: Final = msgspec.json.Decoder(list[msgspec.Raw] | None)


def split_body(kind: Kind, body: bytes, max_bytes: int) -> Iterator[bytes]:
    """Bodies of about `max_bytes` at most; a span or event that is larger by itself is alone in one.

    Raises Undecodable.
    """
    if len(body) <= max_bytes:
        yield body
        return
    try:
        if kind == "otlp-protobuf":
            yield from _split_message(memoryview(body), 0, max_bytes)
        elif kind == "otlp-json":
            yield from _split_object(body, 0, max_bytes)
        else:
            yield from (msgspec.json.encode(group) for group in _groups(_list.decode(body) or [], max_bytes))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Undecodable(f"The body cannot be split: {error}.") from error


def _split_message(content: memoryview, depth: int, max_bytes: int) -> Iterator[bytes]:
    """Contents of messages with some of the children each, and all other fields in every one."""
    own: list[memoryview] = []
    children: list[tuple[memoryview, memoryview]] = []
    last = 0
    for number, start, end in fields(content, 0, len(content)):
        record, last = content[last:end], end
        if number == _CHILD_FIELDS[depth]:
            children.append((record, content[start:end]))
        else:
            own.append(record)
    group, size = list(own), 0
    for record, payload in children:
        is_large = len(record) > max_bytes and depth + 1 < len(_CHILD_FIELDS)
        if size and (is_large or size + len(record) > max_bytes):
            yield b"".join(group)
            group, size = list(own), 0
        if is_large:
            for part in _split_message(payload, depth + 1, max_bytes):
                yield b"".join((*own, field(_CHILD_FIELDS[depth], part)))
        else:
            group.append(record)
            size += len(record)
    if size:
        yield b"".join(group)


def _split_object(content: bytes | msgspec.Raw, depth: int, max_bytes: int) -> Iterator[bytes]:
    """As `_split_message`, for OTLP/JSON."""
    own = _object.decode(content)
    children = _list.decode(own.pop(_CHILD_KEYS[depth], msgspec.Raw(b"null"))) or []
    for group in _groups(children, max_bytes):
        if len(group) == 1 and _size(group[0]) > max_bytes and depth + 1 < len(_CHILD_KEYS):
            for part in _split_object(group[0], depth + 1, max_bytes):
                yield msgspec.json.encode({**own, _CHILD_KEYS[depth]: [msgspec.Raw(part)]})
        else:
            yield msgspec.json.encode({**own, _CHILD_KEYS[depth]: group})


def _groups(items: list[msgspec.Raw], max_bytes: int) -> Iterator[list[msgspec.Raw]]:
    group: list[msgspec.Raw] = []
    size = 0
    for item in items:
        if group and size + _size(item) > max_bytes:
            yield group
            group, size = [], 0
        group.append(item)
        size += _size(item)
    if group:
        yield group


def _size(raw: msgspec.Raw) -> int:
    return memoryview(raw).nbytes
