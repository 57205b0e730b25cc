"""Stored records as the public API shapes them (contract: server semantics 6.4 to 6.7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, Final

import msgspec

from appliance.model.nesting import is_too_deep
from appliance.model.observations import Observation
from appliance.model.price_table import built_in_models
from appliance.model.scores import Score
from appliance.model.traces import Trace
from appliance.model.usage import sum_of
from appliance.web.responses import iso_micros

Json = dict[str, Any]

_raw: Final = msgspec.json.Decoder(msgspec.Raw)
_MICROS: Final = 1_000_000
_SHORT: Final = 200


def parsed(text: str | None) -> object:
    """Stored text as JSON when it is JSON (digits keep their precision), else as the text; empty is null."""
    if not text:
        return None
    if text[0] not in '{["-0123456789tfn \n\t\r' or is_too_deep(text):
        return text
    try:
        return _raw.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return text


def parsed_values(texts: Mapping[str, str]) -> Json:
    """Metadata with every value parsed on its own."""
    return {key: "" if text == "" else parsed(text) for key, text in texts.items()}


def optional_time(microseconds: int | None) -> str | None:
    """A point in time, or null."""
    return None if microseconds is None else iso_micros(microseconds)


def seconds(start: int, end: int | None) -> float | None:
    """The time between two points in microseconds, in seconds to the millisecond; null when one is missing."""
    return None if end is None else round((end - start) / _MICROS, 3)


def trace_core(trace: Trace) -> Json:
    """What every answer with a trace begins with."""
    return {
        "id": trace.id,
        "projectId": trace.project_id,
        "name": trace.name or "",
        "timestamp": iso_micros(trace.timestamp),
        "environment": trace.environment,
        "tags": sorted(trace.tags),
        "bookmarked": trace.bookmarked,
        "release": trace.release or None,
        "version": trace.version or None,
        "userId": trace.user_id or None,
        "sessionId": trace.session_id or None,
        "public": trace.public,
        "externalId": None,
        "createdAt": iso_micros(trace.created_at),
        "updatedAt": iso_micros(trace.updated_at),
        "htmlPath": f"/project/{trace.project_id}/traces/{trace.id}",
    }


def trace_io(trace: Trace, *, included: bool = True) -> Json:
    """Input, output and metadata, or their placeholders."""
    if not included:
        return {"input": None, "output": None, "metadata": {}}
    return {"input": parsed(trace.input), "output": parsed(trace.output), "metadata": parsed_values(trace.metadata)}


def _total_cost(row: Observation) -> float | None:
    return row.total_cost if row.total_cost is not None else row.cost_details.get("total")


def unit_price(row: Observation, kind: str) -> float | None:
    """USD per unit of one usage type by the matched price tier; null when no model matched or it has no such price.

    A tier that does not come with the package is known by what it made of the usage.
    """
    if not row.model_id:
        return None
    built_in = _tier_prices().get(row.pricing_tier_id)
    if built_in is not None:
        return built_in.get(kind)
    units, cost = row.usage_details.get(kind), row.cost_details.get(kind)
    if row.provided_cost_details or not units or cost is None:
        return None
    return float(f"{cost / units:.10g}")


@cache
def _tier_prices() -> dict[str, dict[str, float]]:
    return {tier.id: tier.prices for model in built_in_models() for tier in model.pricing_tiers}


OBSERVATION_FIELDS: Final = frozenset(
    (
        *("parent_id", "type", "name", "environment", "level", "status_message", "version"),
        *("input", "output", "metadata", "model", "model_id", "model_parameters"),
        *("usage_details", "provided_usage_details", "provided_cost_details", "cost_details", "total_cost"),
        *("pricing_tier_id", "pricing_tier_name", "prompt_id", "prompt_name", "prompt_version"),
    )
)
"""What `observation` shows, besides the key and the times."""


def observation(row: Observation) -> Json:
    """The observation of the first API version; latency and time to first token are in seconds.

    `usageEstimated` is there, and true, only where we counted tokens that nobody reported.
    """
    usage = row.usage_details
    counts = {
        "input": int(sum_of(usage, "input") or 0),
        "output": int(sum_of(usage, "output") or 0),
        "total": usage.get("total", 0),
    }
    return {
        "id": row.id,
        "projectId": row.project_id,
        "traceId": row.trace_id or None,
        "parentObservationId": row.parent_id or None,
        "type": row.type,
        "name": row.name or None,
        "environment": row.environment,
        "startTime": iso_micros(row.start_time),
        "endTime": optional_time(row.end_time),
        "completionStartTime": optional_time(row.completion_start_time),
        "level": row.level,
        "statusMessage": row.status_message or None,
        "version": row.version or None,
        "createdAt": iso_micros(row.created_at),
        "updatedAt": iso_micros(row.updated_at),
        "input": parsed(row.input),
        "output": parsed(row.output),
        "metadata": parsed_values(row.metadata),
        "model": row.model or None,
        "modelId": row.model_id or None,
        "modelParameters": parsed(row.model_parameters),
        "usageDetails": usage,
        "costDetails": row.cost_details,
        **({"usageEstimated": True} if usage and not row.provided_usage_details else {}),
        "usage": {"unit": "TOKENS", **counts},
        "unit": "TOKENS",
        "promptTokens": counts["input"],
        "completionTokens": counts["output"],
        "totalTokens": counts["total"],
        "usagePricingTierId": row.pricing_tier_id or None,
        "usagePricingTierName": row.pricing_tier_name or None,
        "inputPrice": unit_price(row, "input"),
        "outputPrice": unit_price(row, "output"),
        "totalPrice": unit_price(row, "total"),
        "calculatedInputCost": sum_of(row.cost_details, "input"),
        "calculatedOutputCost": sum_of(row.cost_details, "output"),
        "calculatedTotalCost": _total_cost(row),
        "promptId": row.prompt_id or None,
        "promptName": row.prompt_name or None,
        "promptVersion": row.prompt_version or None,
        "latency": seconds(row.start_time, row.end_time),
        "timeToFirstToken": seconds(row.start_time, row.completion_start_time),
    }


def observation_v2_fields(groups: Iterable[str]) -> frozenset[str]:
    """What `observation_v2` shows of an observation, besides the key and the times."""
    return frozenset(name for group in ("core", *groups) for name in _V2_FIELDS.get(group, ()))


def observation_v2(
    row: Observation, groups: set[str], expanded: set[str], *, in_bookmarked_trace: bool = False
) -> Json:
    """The observation of the second API version: only the asked groups of fields; input and output as stored."""
    shape: Json = {
        "id": row.id,
        "traceId": row.trace_id or None,
        "startTime": iso_micros(row.start_time),
        "endTime": optional_time(row.end_time),
        "projectId": row.project_id,
        "parentObservationId": row.parent_id or None,
        "type": row.type,
        "modelId": row.model_id or None if "model" in groups else None,
        **{f"{kind}Price": _price_text(row, kind, groups) for kind in ("input", "output", "total")},
    }
    for group in groups & _V2_GROUPS.keys():
        shape |= _V2_GROUPS[group](row)
    if "basic" in groups:
        # A trace is bookmarked, and its root stands for it.
        shape["bookmarked"] = in_bookmarked_trace and _is_root(row)
    if "metadata" in groups:
        shape["metadata"] = {
            key: parsed(text) if key in expanded or len(text) <= _SHORT else text[:_SHORT]
            for key, text in row.metadata.items()
        }
    return shape


def _price_text(row: Observation, kind: str, groups: set[str]) -> str | None:
    price = unit_price(row, kind) if "model" in groups else None
    return None if price is None else f"{price:.12f}".rstrip("0").rstrip(".")


def _basic(row: Observation) -> Json:
    return {
        "name": row.name or None,
        "level": row.level,
        "statusMessage": row.status_message or None,
        "version": row.version or None,
        "environment": row.environment,
        "public": row.public,
        "userId": row.user_id or None,
        "sessionId": row.session_id or None,
        "isRootObservation": _is_root(row),
    }


def _is_root(row: Observation) -> bool:
    return not row.parent_id or row.is_app_root


def _time(row: Observation) -> Json:
    return {
        "completionStartTime": optional_time(row.completion_start_time),
        "createdAt": iso_micros(row.created_at),
        "updatedAt": iso_micros(row.updated_at),
    }


def _model(row: Observation) -> Json:
    return {
        "model": row.model or None,
        "providedModelName": row.model or None,
        "internalModelId": row.model_id or None,
        "modelParameters": parsed(row.model_parameters),
    }


def _usage(row: Observation) -> Json:
    return {
        "usageDetails": row.usage_details,
        "costDetails": row.cost_details,
        "totalCost": _total_cost(row),
        "usagePricingTierName": row.pricing_tier_name or None,
    }


_V2_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "core": ("parent_id", "type"),
    "basic": (
        *("name", "level", "status_message", "version", "environment"),
        *("public", "user_id", "session_id", "is_app_root"),
    ),
    "io": ("input", "output"),
    "metadata": ("metadata",),
    "model": (
        *("model", "model_id", "model_parameters", "pricing_tier_id"),
        *("usage_details", "cost_details", "provided_cost_details"),
    ),
    "usage": ("usage_details", "cost_details", "total_cost", "pricing_tier_name"),
    "prompt": ("prompt_id", "prompt_name", "prompt_version"),
    "trace_context": ("trace_name", "tags", "release"),
}
_V2_GROUPS: Final[Mapping[str, Callable[[Observation], Json]]] = {
    "basic": _basic,
    "time": _time,
    "io": lambda row: {"input": row.input or None, "output": row.output or None},
    "model": _model,
    "usage": _usage,
    "prompt": lambda row: {
        "promptId": row.prompt_id or None,
        "promptName": row.prompt_name or None,
        "promptVersion": row.prompt_version or None,
    },
    "metrics": lambda row: {
        "latency": seconds(row.start_time, row.end_time),
        "timeToFirstToken": seconds(row.start_time, row.completion_start_time),
    },
    "trace_context": lambda row: {
        "traceName": row.trace_name or None,
        "tags": sorted(row.tags),
        "release": row.release or None,
    },
}


def score(row: Score, *, with_runs: bool = True) -> Json:
    """The score of the first two API versions; `with_runs` adds what only the second knows."""
    shape: Json = {
        "id": row.id,
        "projectId": row.project_id,
        "environment": row.environment,
        "timestamp": iso_micros(row.timestamp),
        "name": row.name,
        "value": row.value,
        "stringValue": row.string_value or None,
        "dataType": row.data_type,
        "source": row.source,
        "authorUserId": row.author_user_id or None,
        "comment": row.comment or None,
        "metadata": parsed_values(row.metadata),
        "configId": row.config_id or None,
        "queueId": row.queue_id or None,
        "executionTraceId": row.execution_trace_id or None,
        "createdAt": iso_micros(row.created_at),
        "updatedAt": iso_micros(row.updated_at),
        "traceId": row.trace_id or None,
        "observationId": row.observation_id or None,
    }
    if with_runs:
        shape |= {"sessionId": row.session_id or None, "datasetRunId": row.dataset_run_id or None}
    if row.data_type == "TEXT":
        del shape["value"]
        shape["stringValue"] = row.string_value or row.long_string_value
    elif row.data_type == "CORRECTION":
        shape["stringValue"] = row.long_string_value or row.string_value
    return shape


def score_v3(row: Score, groups: set[str]) -> Json:
    """The score of the third API version, whose `value` is a number, a boolean or a string."""
    shape: Json = {
        "id": row.id,
        "projectId": row.project_id,
        "name": row.name,
        "value": _value(row),
        "dataType": row.data_type,
        "source": row.source,
        "timestamp": iso_micros(row.timestamp),
        "environment": row.environment,
        "createdAt": iso_micros(row.created_at),
        "updatedAt": iso_micros(row.updated_at),
    }
    if "details" in groups:
        shape |= {
            "comment": row.comment or None,
            "configId": row.config_id or None,
            "metadata": parsed_values(row.metadata),
        }
    if "subject" in groups:
        shape["subject"] = _subject(row)
    if "annotation" in groups:
        shape |= {"authorUserId": row.author_user_id or None, "queueId": row.queue_id or None}
    return shape


def _value(row: Score) -> float | bool | str:
    if row.data_type == "NUMERIC":
        return row.value
    if row.data_type == "BOOLEAN":
        return row.value == 1
    return row.long_string_value or row.string_value


def _subject(row: Score) -> Json | None:
    if row.observation_id:
        return {"kind": "observation", "id": row.observation_id, "traceId": row.trace_id}
    for kind, subject_id in (
        ("trace", row.trace_id),
        ("session", row.session_id),
        ("experiment", row.dataset_run_id),
    ):
        if subject_id:
            return {"kind": kind, "id": subject_id}
    return None
