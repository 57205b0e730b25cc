"""The structure of an OTLP export in protobuf, read without decoding it: large exports in chunks, within limits.

Decoding takes up to a hundred bytes of memory for two bytes of a message, so large exports are never decoded whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from appliance.errors import PayloadTooLarge, Undecodable

CHUNK_BYTES: Final = 512 * 1024
MOST_SPANS: Final = 250_000
"""Spans of one export; also the most attributes, events, links and list elements of a large span."""

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_RESOURCE_SPANS, _SCOPE_SPANS, _SPANS = 1, 2, 2

# The repeated fields of messages that hold messages, and the kinds of these.
_CHILDREN: Final[Mapping[str, Mapping[int, str]]] = {
    "resource spans": {1: "resource"},
    "resource": {1: "pair"},
    "scope spans": {1: "scope"},
    "scope": {3: "pair"},
    "span": {9: "pair", 11: "event", 13: "link"},
    "event": {3: "pair"},
    "link": {4: "pair"},
    "pair": {2: "value"},
    "value": {5: "array", 6: "pairs"},
    "array": {1: "value"},
    "pairs": {1: "pair"},
}


def chunks(body: bytes) -> Iterator[bytes | None]:
    """Exports that together are equivalent to `body`, each of about `CHUNK_BYTES`, or of one larger span.

    Resource and scope are repeated in each. None stands for a span with too many values, which is left out.
    Raises Undecodable, and PayloadTooLarge for more than `MOST_SPANS` spans.
    """
    if len(body) <= CHUNK_BYTES:
        yield body
        return
    left = MOST_SPANS
    resources = _Split(body, 0, len(body), _RESOURCE_SPANS, left)
    for start, end in resources.found:
        resource = _Split(body, start, end, _SCOPE_SPANS, left)
        head = _checked(resource.others, "resource spans")
        for scope_start, scope_end in resource.found:
            scope = _Split(body, scope_start, scope_end, _SPANS, left)
            left -= len(scope.found)
            yield from _scope_chunks(body, head, _checked(scope.others, "scope spans"), scope.found)


def has_more_values(message: bytes, limit: int, kind: str = "span", start: int = 0, end: int | None = None) -> bool:
    """Whether a serialised message holds more than `limit` others: attributes, events, links, elements of lists.

    The message lies between `start` and `end`.
    """
    count = 0
    open_messages: list[tuple[str, int, int]] = [(kind, start, len(message) if end is None else end)]
    while open_messages:
        message_kind, start, end = open_messages.pop()
        children = _CHILDREN[message_kind]
        for number, child_start, child_end in fields(message, start, end):
            if child := children.get(number):
                count += 1
                if count > limit:
                    return True
                open_messages.append((child, child_start, child_end))
    return False


class _Split:
    """A message as the positions of the wanted fields (`found`), and the bytes of all others (`others`)."""

    def __init__(self, body: bytes, start: int, end: int, wanted: int, most: int) -> None:
        others: list[bytes] = []
        self.found: list[tuple[int, int]] = []
        last = start
        for number, child_start, child_end in fields(body, start, end):
            if number == wanted:
                self.found.append((child_start, child_end))
            else:
                others.append(body[last:child_end])
            last = child_end
            if len(self.found) + len(others) > most + 100:
                raise PayloadTooLarge(f"The export holds more than {MOST_SPANS} spans.")
        self.others = b"".join(others)


def _checked(head: bytes, kind: str) -> bytes:
    if len(head) > CHUNK_BYTES and has_more_values(head, MOST_SPANS, kind):
        raise Undecodable("Invalid OTLP trace export: a resource or scope has too many attributes")
    return head


def _scope_chunks(body: bytes, head: bytes, scope_head: bytes, spans: list[tuple[int, int]]) -> Iterator[bytes | None]:
    wanted = max(CHUNK_BYTES, len(head) + len(scope_head))
    gathered: list[tuple[int, int]] = []
    size = 0
    for start, end in spans:
        if end - start > CHUNK_BYTES and has_more_values(body, MOST_SPANS, "span", start, end):
            yield None
            continue
        if gathered and size + end - start > wanted:
            yield _export(body, head, scope_head, gathered)
            gathered, size = [], 0
        gathered.append((start, end))
        size += end - start
    if gathered:
        yield _export(body, head, scope_head, gathered)


def _export(body: bytes, head: bytes, scope_head: bytes, spans: list[tuple[int, int]]) -> bytes:
    """An export of some spans of `body`; `body` itself, without a copy, when it holds no others."""
    view = memoryview(body)
    scope: list[bytes | memoryview] = [scope_head]
    for start, end in spans:
        scope += (prefix(_SPANS, end - start), view[start:end])
    before = prefix(_SCOPE_SPANS, sum(map(len, scope)))
    size = len(head) + len(before) + sum(map(len, scope))
    whole = [prefix(_RESOURCE_SPANS, size), head, before, *scope]
    return body if sum(map(len, whole)) == len(body) else b"".join(whole)


def prefix(number: int, size: int) -> bytes:
    """The tag and length before the `size` bytes of a field."""
    encoded = bytearray([number << 3 | _LENGTH])
    while size > 0x7F:
        encoded.append(size & 0x7F | 0x80)
        size >>= 7
    encoded.append(size)
    return bytes(encoded)


def fields(body: bytes | memoryview, position: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Every field of a message: its number (0 for numeric fields), and where its content begins and ends.

    Raises Undecodable.
    """
    while position < end:
        tag, position = _varint(body, position, end)
        kind, number = tag & 7, 0
        start = position
        if kind == _LENGTH:
            size, start = _varint(body, position, end)
            position, number = start + size, tag >> 3
        elif kind == _VARINT:
            _, position = _varint(body, position, end)
        elif kind in (_FIXED32, _FIXED64):
            position += 4 if kind == _FIXED32 else 8
        else:
            raise Undecodable("Failed to parse OTel Protobuf Trace")
        if position > end:
            raise Undecodable("Failed to parse OTel Protobuf Trace")
        yield number, start, position


def _varint(body: bytes | memoryview, position: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while position < end and shift < 70:
        byte = body[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise Undecodable("Failed to parse OTel Protobuf Trace")
