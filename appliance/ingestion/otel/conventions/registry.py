"""The conventions that are understood, in order: the first that sets a field wins."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from appliance.ingestion.otel.conventions.adk import AdkMapper
from appliance.ingestion.otel.conventions.claude_code import ClaudeCodeMapper
from appliance.ingestion.otel.conventions.flue import FlueMapper
from appliance.ingestion.otel.conventions.gen_ai import GenAiMapper
from appliance.ingestion.otel.conventions.generic import fill_rest
from appliance.ingestion.otel.conventions.genkit import GenkitMapper
from appliance.ingestion.otel.conventions.langfuse import LangfuseMapper
from appliance.ingestion.otel.conventions.langsmith import LangSmithMapper
from appliance.ingestion.otel.conventions.livekit import LiveKitMapper
from appliance.ingestion.otel.conventions.logfire import LogfireMapper
from appliance.ingestion.otel.conventions.mastra import MastraMapper
from appliance.ingestion.otel.conventions.mlflow import MlflowMapper
from appliance.ingestion.otel.conventions.openinference import OpenInferenceMapper
from appliance.ingestion.otel.conventions.plain import PlainMapper
from appliance.ingestion.otel.conventions.spring_ai import SpringAiMapper
from appliance.ingestion.otel.conventions.traceloop import TraceloopMapper
from appliance.ingestion.otel.conventions.vercel import VercelMapper
from appliance.ingestion.otel.draft import Draft, Mapper
from appliance.ingestion.otel.span import Span

MAPPERS: Final[tuple[Mapper, ...]] = (
    LangfuseMapper(),
    GenkitMapper(),
    VercelMapper(),
    ClaudeCodeMapper(),
    AdkMapper(),
    LiveKitMapper(),
    MlflowMapper(),
    LangSmithMapper(),
    MastraMapper(),
    FlueMapper(),
    OpenInferenceMapper(),
    LogfireMapper(),
    TraceloopMapper(),
    SpringAiMapper(),
    GenAiMapper(),
    PlainMapper(),
)
"""Frameworks before the conventions that they share: a framework knows which of its steps repeat others."""


def draft_of(span: Span) -> Draft:
    """The draft that all conventions together fill in; they remove the attributes they read from the span."""
    draft = Draft()
    names = (span.scope.name, *span.attributes, *(event.name for event in span.events))
    is_usual = sum(map(len, names)) <= _MOST_CHARS
    # `__wrapped__` skips the cache.
    for mapper in _mappers_for(names) if is_usual else _mappers_for.__wrapped__(names):
        mapper.map_span(span, draft)
    fill_rest(span, draft)
    return draft


_MOST_CHARS: Final = 8_192
"""Longer names are not cached, so that a client cannot fill the memory with them."""


@lru_cache(maxsize=1024)
def _mappers_for(names: tuple[str, ...]) -> tuple[Mapper, ...]:
    """The mappers with a prefix that begins one of the names; cached, as spans of one kind have the same names."""
    words = {name.partition(".")[0] for name in names}
    return tuple(mapper for mapper in MAPPERS if not mapper.prefixes.isdisjoint(words))
