"""GET /observations and /observations/{id}, the first API version (contract: server semantics 6.5)."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance.errors import NotFound
from appliance.model.ids import canonical_id
from appliance.storage.clickhouse import observations
from appliance.storage.clickhouse.observations import ObservationQuery
from appliance.web.api import observations_v2
from appliance.web.api.shapes import OBSERVATION_FIELDS, observation
from appliance.web.auth import authorize
from appliance.web.filter_params import clickhouse_of, conditions_from
from appliance.web.params import page_from
from appliance.web.responses import json_response


async def list_page(request: Request) -> Response:
    """A page of observations, the newest start first."""
    auth = await authorize(request)
    page = page_from(request)
    query = ObservationQuery(
        project_id=auth.project_id,
        conditions=conditions_from(
            request,
            texts=("type", "name", "userId", "level", "traceId", "version", "parentObservationId"),
            lists=("environment",),
            since={"fromStartTime": "startTime"},
            until={"toStartTime": "startTime"},
        ),
        limit=page.limit,
        offset=page.offset,
        fields=OBSERVATION_FIELDS,
    )
    clickhouse = clickhouse_of(request)
    rows, total = await asyncio.gather(observations.list_page(clickhouse, query), observations.count(clickhouse, query))
    return json_response({"data": [observation(row) for row in rows], "meta": page.meta(total)})


async def get_observation(request: Request) -> Response:
    """One observation."""
    auth = await authorize(request)
    asked = request.path_params["observation_id"]
    clickhouse, canonical = clickhouse_of(request), canonical_id(asked)
    row = await observations.find(clickhouse, auth.project_id, asked, OBSERVATION_FIELDS)
    if row is None and canonical != asked:
        row = await observations.find(clickhouse, auth.project_id, canonical, OBSERVATION_FIELDS)
    if row is None:
        raise NotFound("Observation not found within authorized project")
    return json_response(observation(row))


routes = [
    Route("/api/public/observations", list_page, methods=["GET"]),
    Route("/api/public/observations/{observation_id:segment}", get_observation, methods=["GET"]),
    *observations_v2.routes,
]
