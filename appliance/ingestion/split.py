"""Splits a large body into smaller ones of the same kind, which together are equivalent to it.

The memory for decoding grows with a body, so a large one is decoded in chunks. The same body is always split in the
same way, and the chunks give the same rows as several small requests would.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from appliance.errors import Undecodable
from appliance.ingestion.otel.decoding.wire import fields, prefix
from appliance.model.queue import EntryKind

_CHILD_FIELDS: Final = (1, 2, 2)
"""Protobuf field numbers of resource_spans in an export, of scope_spans in these, and of spans in these."""
_CHILD_KEYS: Final = ("resourceSpans", "scopeSpans", "spans")

_object: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_list: Final = msgspec.json.Decoder(list[msgspec.Raw] | None)


def split_body(kind: EntryKind, body: bytes, max_bytes: int) -> Iterator[bytes]:
    """Bodies of about `max_bytes` at most; a span or event that is larger by itself is alone in one.

    Raises Undecodable.
    """
    if len(body) <= max_bytes:
        yield body
        return
    try:
        for parts in _split(kind, body, max_bytes):
            # A body of one single span is not copied: it may be too large for that.
            yield body if _length(parts) == len(body) else b"".join(parts)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Undecodable(f"The body cannot be split: {error}.") from error


Parts = list[bytes | memoryview]
"""The pieces of a body that is not joined yet."""


def _split(kind: EntryKind, body: bytes, max_bytes: int) -> Iterator[Parts]:
    if kind == "otlp-protobuf":
        return _split_message(memoryview(body), 0, max_bytes)
    if kind == "otlp-json":
        return _split_object(body, 0, max_bytes)
    return (_json_list(group) for group in _groups(_list.decode(body) or [], max_bytes))


def _length(parts: Parts) -> int:
    return sum(len(part) for part in parts)


def _split_message(content: memoryview, depth: int, max_bytes: int) -> Iterator[Parts]:
    """Messages with some of the children each, and all other fields repeated in each."""
    own: Parts = []
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
            yield group
            group, size = list(own), 0
        if is_large:
            for parts in _split_message(payload, depth + 1, max_bytes):
                yield [*own, prefix(_CHILD_FIELDS[depth], _length(parts)), *parts]
        else:
            group.append(record)
            size += len(record)
    if size:
        yield group


def _split_object(content: bytes | msgspec.Raw, depth: int, max_bytes: int) -> Iterator[Parts]:
    """As `_split_message`, for OTLP/JSON."""
    own = _object.decode(content)
    children = _list.decode(own.pop(_CHILD_KEYS[depth], msgspec.Raw(b"null"))) or []
    comma = b"," if own else b""
    start = b"".join((msgspec.json.encode(own)[:-1], comma, msgspec.json.encode(_CHILD_KEYS[depth]), b":"))
    for group in _groups(children, max_bytes):
        if len(group) == 1 and _size(group[0]) > max_bytes and depth + 1 < len(_CHILD_KEYS):
            for parts in _split_object(group[0], depth + 1, max_bytes):
                yield [start, b"[", *parts, b"]}"]
        else:
            yield [start, *_json_list(group), b"}"]


def _json_list(items: list[msgspec.Raw]) -> Parts:
    """A JSON list of JSON texts."""
    parts: Parts = [b"["]
    for item in items:
        parts += (memoryview(item), b",")
    parts[-1] = b"]" if items else b"[]"
    return parts


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
