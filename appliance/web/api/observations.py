"""GET /observations and /observations/{id}, the first API version (contract: server semantics 6.5)."""

from __future__ import annotations

import asyncio
from typing import Final

from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance.api_types.observations import ApiObservation, ObservationUsage
from appliance.api_types.pages import ApiPage
from appliance.errors import NotFound
from appliance.model.ids import canonical_id
from appliance.model.observations import LEVELS, OBSERVATION_TYPES, Observation
from appliance.model.usage import sum_of
from appliance.storage.clickhouse import observations
from appliance.storage.clickhouse.observations import ObservationQuery
from appliance.web.auth import authorize
from appliance.web.filter_params import conditions_from
from appliance.web.params import page_params
from appliance.web.responses import iso_micros, json_response, optional_time
from appliance.web.state import context_of
from appliance.web.stored_json import parsed, parsed_values
from appliance.web.unit_prices import unit_price

_MICROS: Final = 1_000_000
_FIRST_TYPES: Final = ("GENERATION", "SPAN", "EVENT")
CLOSED_LISTS: Final = {
    "type": (*_FIRST_TYPES, *(name for name in OBSERVATION_TYPES if name not in _FIRST_TYPES)),
    "level": LEVELS,
}
"""The parameters whose values are known, in the order of the reference server."""
OBSERVATION_FIELDS: Final = frozenset(
    (
        *("parent_id", "type", "name", "environment", "level", "status_message", "version"),
        *("input", "output", "metadata", "model", "model_id", "model_parameters"),
        *("usage_details", "provided_usage_details", "provided_cost_details", "cost_details", "total_cost"),
        *("pricing_tier_id", "pricing_tier_name", "prompt_id", "prompt_name", "prompt_version"),
    )
)
"""What `api_observation` reads of an observation, besides the key and the times."""


async def list_page(request: Request) -> Response:
    """A page of observations, the newest start first."""
    auth = await authorize(request)
    page = page_params(request)
    query = ObservationQuery(
        project_id=auth.project_id,
        conditions=conditions_from(
            request,
            texts=("name", "userId", "traceId", "version", "parentObservationId"),
            one_of=CLOSED_LISTS,
            lists=("environment",),
            since={"fromStartTime": "startTime"},
            until={"toStartTime": "startTime"},
        ),
        limit=page.limit,
        offset=page.offset,
        fields=OBSERVATION_FIELDS,
    )
    clickhouse = context_of(request).clickhouse
    rows, total = await asyncio.gather(observations.list_page(clickhouse, query), observations.count(clickhouse, query))
    return json_response(ApiPage([api_observation(row) for row in rows], page.meta(total)))


async def get_observation(request: Request) -> Response:
    """One observation."""
    auth = await authorize(request)
    observation_id = request.path_params["observation_id"]
    clickhouse, canonical = context_of(request).clickhouse, canonical_id(observation_id)
    row = await observations.find(clickhouse, auth.project_id, observation_id, OBSERVATION_FIELDS)
    if row is None and canonical != observation_id:
        row = await observations.find(clickhouse, auth.project_id, canonical, OBSERVATION_FIELDS)
    if row is None:
        raise NotFound("Observation not found within authorized project")
    return json_response(api_observation(row))


def api_observation(row: Observation) -> ApiObservation:
    """The observation of the first API version."""
    usage = row.usage_details
    counts = ObservationUsage(
        input=int(sum_of(usage, "input") or 0),
        output=int(sum_of(usage, "output") or 0),
        total=usage.get("total", 0),
    )
    return ApiObservation(
        id=row.id,
        project_id=row.project_id,
        trace_id=row.trace_id or None,
        parent_observation_id=row.parent_id or None,
        type=row.type,
        name=row.name or None,
        environment=row.environment,
        start_time=iso_micros(row.start_time),
        end_time=optional_time(row.end_time),
        completion_start_time=optional_time(row.completion_start_time),
        level=row.level,
        status_message=row.status_message or None,
        version=row.version or None,
        created_at=iso_micros(row.created_at),
        updated_at=iso_micros(row.updated_at),
        input=parsed(row.input),
        output=parsed(row.output),
        metadata=parsed_values(row.metadata),
        model=row.model or None,
        model_id=row.model_id or None,
        model_parameters=parsed(row.model_parameters),
        usage_details=usage,
        cost_details=row.cost_details,
        usage_estimated=True if usage and not row.provided_usage_details else UNSET,
        usage=counts,
        prompt_tokens=counts.input,
        completion_tokens=counts.output,
        total_tokens=counts.total,
        usage_pricing_tier_id=row.pricing_tier_id or None,
        usage_pricing_tier_name=row.pricing_tier_name or None,
        input_price=unit_price(row, "input"),
        output_price=unit_price(row, "output"),
        total_price=unit_price(row, "total"),
        calculated_input_cost=sum_of(row.cost_details, "input"),
        calculated_output_cost=sum_of(row.cost_details, "output"),
        calculated_total_cost=total_cost(row),
        prompt_id=row.prompt_id or None,
        prompt_name=row.prompt_name or None,
        prompt_version=row.prompt_version or None,
        latency=seconds(row.start_time, row.end_time),
        time_to_first_token=seconds(row.start_time, row.completion_start_time),
    )


def total_cost(row: Observation) -> float | None:
    """USD; null when no cost is known."""
    return row.total_cost if row.total_cost is not None else row.cost_details.get("total")


def seconds(start: int, end: int | None) -> float | None:
    """The time between two points in microseconds, in seconds to the millisecond; null when one is missing."""
    return None if end is None else round((end - start) / _MICROS, 3)


ROUTES = [
    Route("/api/public/observations", list_page, methods=["GET"]),
    Route("/api/public/observations/{observation_id:segment}", get_observation, methods=["GET"]),
]
