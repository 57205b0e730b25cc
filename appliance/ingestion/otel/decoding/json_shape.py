"""The structure of an OTLP export in JSON: its spans, undecoded, within limits."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Final

import msgspec

from appliance.errors import PayloadTooLarge, Undecodable
from appliance.ingestion.otel.decoding.wire import CHUNK_BYTES, MOST_SPANS

_MOST_TOKENS: Final = 4 * MOST_SPANS

# Tokens that become objects when decoded; strings match possessively, so that matching takes no memory.
_TOKEN: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{\[,]', re.DOTALL)


class _Scope(msgspec.Struct, rename="camel"):
    scope: msgspec.Raw = msgspec.Raw()
    spans: list[msgspec.Raw] | None = None


class _Resource(msgspec.Struct, rename="camel"):
    resource: msgspec.Raw = msgspec.Raw()
    scope_spans: list[_Scope] | None = None


class _Export(msgspec.Struct, rename="camel"):
    resource_spans: list[_Resource] | None = None


_export: Final = msgspec.json.Decoder(_Export)


class Group(msgspec.Struct, frozen=True):
    """The spans of one scope, as JSON texts."""

    resource: msgspec.Raw
    """Empty when it is missing; as is `scope`."""
    scope: msgspec.Raw
    spans: list[msgspec.Raw]


def groups(content: bytes) -> Iterator[Group]:
    """All spans of an export, by resource and scope.

    Raises Undecodable when it has another shape, PayloadTooLarge for more than `MOST_SPANS` spans.
    """
    try:
        export = _export.decode(content)
    except msgspec.ValidationError as error:
        raise Undecodable(f"Invalid OTLP trace export: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Undecodable("Failed to parse OTel JSON Trace") from error
    left = MOST_SPANS
    for resource in export.resource_spans or ():
        _check(resource.resource)
        for scope in resource.scope_spans or ():
            _check(scope.scope)
            spans = scope.spans or []
            left -= len(spans)
            if left < 0:
                raise PayloadTooLarge(f"The export holds more than {MOST_SPANS} spans.")
            yield Group(resource.resource, scope.scope, spans)


def has_too_many_values(text: msgspec.Raw) -> bool:
    """Whether decoding a JSON text would make more objects than one span may have."""
    content = memoryview(text)
    if len(content) <= CHUNK_BYTES:
        return False
    return next(itertools.islice(_TOKEN.finditer(content), _MOST_TOKENS, None), None) is not None


def _check(text: msgspec.Raw) -> None:
    if has_too_many_values(text):
        raise Undecodable("Invalid OTLP trace export: a resource or scope has too many attributes")
