"""The rows of a trace's tree for the terminal UI, as narrow as they can be: no texts, no metadata."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance.api_types.pages import ApiList
from appliance.model.ids import canonical_id
from appliance.storage.clickhouse import observations
from appliance.web.auth import authorize
from appliance.web.params import int_param
from appliance.web.responses import json_response
from appliance.web.state import context_of

_MOST = 100_000


async def get_tree(request: Request) -> Response:
    """The observations of a trace, oldest first, from `offset` on; an unknown trace has none."""
    auth = await authorize(request)
    limit = int_param(request, "limit", default=_MOST, low=1, high=_MOST)
    offset = int_param(request, "offset", default=0, low=0, high=10_000_000)
    clickhouse, trace_id = context_of(request).clickhouse, request.path_params["trace_id"]
    rows = await observations.steps(clickhouse, auth.project_id, trace_id, limit=limit, offset=offset)
    if not rows and (canonical := canonical_id(trace_id)) != trace_id:
        rows = await observations.steps(clickhouse, auth.project_id, canonical, limit=limit, offset=offset)
    return json_response(ApiList(rows))


ROUTES = [Route("/api/local/traces/{trace_id:segment}/tree", get_tree, methods=["GET"])]
