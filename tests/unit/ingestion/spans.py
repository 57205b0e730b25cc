"""Spans made by hand."""

from __future__ import annotations

from typing import Any

from appliance.ingestion.otel.conventions.registry import draft_of
from appliance.ingestion.otel.observation import complete_metadata
from appliance.ingestion.otel.span import Resource, Scope, Span, SpanEvent
from appliance.ingestion.otel.trace import MappedSpan
from appliance.ingestion.source import EntrySource

SOURCE = EntrySource("project", 2_000_000)
SDK = "langfuse-sdk"


def make_span(
    attributes: dict[str, Any] | None = None,
    *,
    id: str = "aa",
    parent: str = "",
    start: int = 1_000_000,
    scope: str = SDK,
    version: str = "4.0.0",
    name: str = "step",
    status: int = 0,
    resource: dict[str, Any] | None = None,
    events: list[SpanEvent] | None = None,
    has_json_metadata: bool = False,
) -> Span:
    return Span(
        "trace",
        id,
        parent,
        name,
        start,
        start + 10,
        dict(attributes or {}),
        status,
        "",
        Resource(resource or {}, "{}"),
        Scope(scope, version, {}, "{}", scope.startswith(SDK), has_json_metadata),
        events or [],
    )


def says(attributes: dict[str, Any] | None = None, **options: Any) -> MappedSpan:
    span = make_span(attributes, **options)
    draft = draft_of(span)
    complete_metadata(span, draft)
    return MappedSpan(span, draft)
