"""A large body into several small ones of the same kind, which together say the same.

The work of decoding and the memory it needs grow with a body, so a large one is decoded piece by piece. The same body
is always split in the same way, and a request in pieces comes to the same rows as several small requests would.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from appliance.errors import Undecodable
from appliance.storage.redis.ingest_stream import Kind

_CHILD_FIELDS: Final = (1, 2, 2)
"""Protobuf numbers of resource_spans in an export, scope_spans in that, spans in that."""
_CHILD_KEYS: Final = ("resourceSpans", "scopeSpans", "spans")
_LENGTH_DELIMITED: Final = 2
_FIXED_BYTES: Final = {1: 8, 5: 4}

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
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, IndexError) as error:
        raise Undecodable(f"The body cannot be split: {error}.") from error


def _split_message(content: memoryview, depth: int, max_bytes: int) -> Iterator[bytes]:
    """Contents of messages with some of the children each, and all other fields in every one."""
    own: list[memoryview] = []
    children: list[tuple[memoryview, memoryview]] = []
    for number, record, payload in _records(content):
        if number == _CHILD_FIELDS[depth]:
            children.append((record, payload))
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
                yield b"".join((*own, _head(_CHILD_FIELDS[depth], len(part)), part))
        else:
            group.append(record)
            size += len(record)
    if size:
        yield b"".join(group)


def _records(content: memoryview) -> Iterator[tuple[int, memoryview, memoryview]]:
    """Number, whole record and payload of each field; raises IndexError for a message that is cut short."""
    at = 0
    while at < len(content):
        start = at
        tag, at = _varint(content, at)
        payload_at = at
        if tag & 7 == _LENGTH_DELIMITED:
            length, payload_at = _varint(content, at)
            at = payload_at + length
        elif tag & 7 in _FIXED_BYTES:
            at += _FIXED_BYTES[tag & 7]
        elif tag & 7 == 0:
            _, at = _varint(content, at)
        else:
            raise Undecodable("The body cannot be split: it has a group.")
        if at > len(content):
            raise IndexError("a field is cut short")
        yield tag >> 3, content[start:at], content[payload_at:at]


def _varint(content: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _head(number: int, length: int) -> bytes:
    """What stands before the payload of a field."""
    head, rest = bytearray([number << 3 | _LENGTH_DELIMITED]), length
    while rest >= 0x80:
        head.append(rest & 0x7F | 0x80)
        rest >>= 7
    head.append(rest)
    return bytes(head)


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
