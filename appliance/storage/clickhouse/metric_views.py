"""The dimensions and measures of each view of the metrics engine (contract: server semantics 10.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from appliance.storage.clickhouse.observation_filters import sum_of

TRACE: Final = "trace"
SCORED: Final = "scored"
OBSERVATION: Final = "observation"
OBSERVATION_SCORES: Final = "observation_scores"


@dataclass(frozen=True, slots=True)
class Field:
    """A dimension or a measure: its SQL, what must be joined for it, and whether it is a number."""

    sql: str
    source: str = ""
    is_number: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One view: its column of time, dimensions and measures."""

    time: str
    dimensions: Mapping[str, Field]
    measures: Mapping[str, Field]


def _name(sql: str, source: str = "") -> Field:
    return Field(f"nullIf(toString({sql}), '')", source, is_number=False)


def _list(sql: str, source: str = "") -> Field:
    return Field(sql, source, is_number=False)


def _millis(start: str, end: str) -> Field:
    return Field(f"dateDiff('microsecond', {start}, {end}) / 1000")


def _rate(amount: str, start: str, end: str) -> Field:
    return Field(f"{amount} / nullIf(dateDiff('microsecond', {start}, {end}) / 1000000, 0)")


_INPUT_TOKENS: Final = sum_of("item.usage_details", "input")
_OUTPUT_TOKENS: Final = sum_of("item.usage_details", "output")
_TOTAL_TOKENS: Final = "item.usage_details['total']"
_ONE: Final = Field("1")

_TRACE_DIMENSIONS: Final[Mapping[str, Field]] = {
    "traceName": _name("trace.name", TRACE),
    "tags": _list("trace.tags", TRACE),
    "userId": _name("trace.user_id", TRACE),
    "sessionId": _name("trace.session_id", TRACE),
    "traceRelease": _name("trace.release", TRACE),
    "traceVersion": _name("trace.version", TRACE),
}

_TRACES: Final = View(
    time="trace.started",
    dimensions={
        "id": _name("trace.id"),
        "name": _name("trace.name"),
        "tags": _list("trace.tags"),
        "userId": _name("trace.user_id"),
        "sessionId": _name("trace.session_id"),
        "release": _name("trace.release"),
        "version": _name("trace.version"),
        "environment": _name("trace.environment"),
        "level": _name("trace.top_level"),
        "timestampMonth": _name("formatDateTime(trace.started, '%Y-%m')"),
    },
    measures={
        "count": _ONE,
        "observationsCount": Field("trace.observation_count"),
        "scoresCount": Field("scored.score_count", SCORED),
        "uniqueUserIds": _name("trace.user_id"),
        "uniqueSessionIds": _name("trace.session_id"),
        "latency": Field("if(trace.observation_count = 0, NULL, trace.span_micros / 1000)"),
        "totalTokens": Field("trace.total_tokens"),
        "totalCost": Field("trace.total_cost"),
    },
)

_OBSERVATIONS: Final = View(
    time="item.start_time",
    dimensions={
        "id": _name("item.id"),
        "traceId": _name("item.trace_id"),
        "environment": _name("item.environment"),
        "parentObservationId": _name("item.parent_id"),
        "type": _name("item.type"),
        "name": _name("item.name"),
        "level": _name("item.level"),
        "version": _name("item.version"),
        "release": _name("item.release"),
        "providedModelName": _name("item.model"),
        "promptName": _name("item.prompt_name"),
        "promptVersion": Field("nullIf(item.prompt_version, 0)", is_number=False),
        "startTimeMonth": _name("formatDateTime(item.start_time, '%Y-%m')"),
        "isRootObservation": Field("(item.parent_id = '' OR item.is_app_root)", is_number=False),
        "toolNames": _name("arrayJoin(item.tool_names)"),
        "calledToolNames": _name("arrayJoin(item.tool_call_names)"),
        **_TRACE_DIMENSIONS,
    },
    measures={
        "count": _ONE,
        "latency": _millis("item.start_time", "item.end_time"),
        "streamingLatency": _millis("item.completion_start_time", "item.end_time"),
        "timeToFirstToken": _millis("item.start_time", "item.completion_start_time"),
        "inputTokens": Field(_INPUT_TOKENS),
        "outputTokens": Field(_OUTPUT_TOKENS),
        "totalTokens": Field(_TOTAL_TOKENS),
        "outputTokensPerSecond": _rate(_OUTPUT_TOKENS, "item.completion_start_time", "item.end_time"),
        "tokensPerSecond": _rate(_TOTAL_TOKENS, "item.start_time", "item.end_time"),
        "inputCost": Field(sum_of("item.cost_details", "input")),
        "outputCost": Field(sum_of("item.cost_details", "output")),
        "totalCost": Field("item.total_cost"),
        "countScores": Field("observation_scores.score_count", OBSERVATION_SCORES),
        "toolDefinitions": Field("length(item.tool_names)"),
        "toolCalls": Field("length(item.tool_call_names)"),
        "uniqueUserIds": _TRACE_DIMENSIONS["userId"],
        "uniqueSessionIds": _TRACE_DIMENSIONS["sessionId"],
    },
)

_SCORE_DIMENSIONS: Final[Mapping[str, Field]] = {
    "id": _name("item.id"),
    "environment": _name("item.environment"),
    "name": _name("item.name"),
    "source": _name("item.source"),
    "dataType": _name("item.data_type"),
    "traceId": _name("item.trace_id"),
    "configId": _name("item.config_id"),
    "observationId": _name("item.observation_id"),
    "timestampMonth": _name("formatDateTime(item.timestamp, '%Y-%m')"),
    "timestampDay": _name("formatDateTime(item.timestamp, '%Y-%m-%d')"),
    "observationName": _name("observation.name", OBSERVATION),
    "observationModelName": _name("observation.model", OBSERVATION),
    "observationPromptName": _name("observation.prompt_name", OBSERVATION),
    "observationPromptVersion": Field("nullIf(observation.prompt_version, 0)", OBSERVATION, is_number=False),
    **_TRACE_DIMENSIONS,
}
_SCORE_VALUE: Final = Field("item.value")

METRIC_VIEWS: Final[Mapping[str, View]] = {
    "traces": _TRACES,
    "observations": _OBSERVATIONS,
    "scores-numeric": View(
        time="item.timestamp",
        dimensions={**_SCORE_DIMENSIONS, "value": Field("item.value", is_number=False)},
        measures={"count": _ONE, "value": _SCORE_VALUE},
    ),
    "scores-categorical": View(
        time="item.timestamp",
        dimensions={**_SCORE_DIMENSIONS, "stringValue": _name("item.string_value")},
        measures={"count": _ONE},
    ),
    "scores-boolean": View(
        time="item.timestamp",
        dimensions={**_SCORE_DIMENSIONS, "booleanValue": Field("item.value = 1", is_number=False)},
        measures={"count": _ONE, "value": _SCORE_VALUE},
    ),
}

SCORE_TYPES: Final[Mapping[str, list[str]]] = {
    "scores-numeric": ["NUMERIC", "BOOLEAN"],
    "scores-categorical": ["CATEGORICAL"],
    "scores-boolean": ["BOOLEAN"],
}
