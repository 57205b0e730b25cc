"""A decoded span, independent of its wire format."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Attributes = dict[str, Any]
"""Text, numbers, booleans and lists of them; maps and bytes have become JSON text."""


@dataclass(slots=True)
class Resource:
    """The resource that emitted the spans."""

    attributes: Attributes
    json: str
    """The attributes as JSON, computed once per request."""

    def text(self, key: str) -> str:
        """The attribute as text; '' when it is missing."""
        value = self.attributes.get(key)
        return value if isinstance(value, str) else "" if value is None else str(value)


@dataclass(slots=True)
class Scope:
    """The instrumentation library that recorded the spans."""

    name: str
    version: str
    attributes: Attributes
    json: str
    """Name, version and attributes as JSON, computed once per request."""
    is_langfuse_sdk: bool
    has_json_metadata: bool
    """Whether metadata strings were sent with JSON quotes, as Python SDK 5 does."""


@dataclass(slots=True)
class SpanEvent:
    """An event within a span."""

    name: str
    time: int
    attributes: Attributes


@dataclass(slots=True)
class SpanLink:
    """A link to another span, such as the one that triggered this one."""

    trace_id: str
    span_id: str
    attributes: Attributes


@dataclass(slots=True)
class Span:
    """One span. Mappers take attributes out of it; what remains is kept as metadata."""

    trace_id: str
    id: str
    parent_id: str
    name: str
    start: int
    """Microseconds since the epoch."""
    end: int
    """Microseconds since the epoch."""
    attributes: Attributes
    status_code: int
    """0 unset, 1 ok, 2 error."""
    status_message: str
    resource: Resource
    scope: Scope
    events: list[SpanEvent] = field(default_factory=list)
    links: list[SpanLink] = field(default_factory=list)
