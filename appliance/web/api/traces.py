"""GET /traces and /traces/{id} (contract: server semantics 6.4)."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance import issues
from appliance.api_types.pages import ApiPage
from appliance.api_types.traces import NOT_REQUESTED, ApiTrace, ApiTraceDetail, ApiTraceItem
from appliance.errors import InvalidData, InvalidRequest, NotFound
from appliance.model.ids import canonical_id
from appliance.model.traces import Trace
from appliance.queries.traces import FIELD_GROUPS, TraceItem, find_trace, list_traces
from appliance.storage.clickhouse.traces.pages import TraceListQuery
from appliance.web.api.observations import OBSERVATION_FIELDS, api_observation
from appliance.web.api.scores import api_score
from appliance.web.auth import authorize
from appliance.web.filter_params import conditions_from
from appliance.web.params import list_param, page_params, text_param
from appliance.web.responses import iso_micros, json_response
from appliance.web.state import context_of
from appliance.web.stored_json import parsed, parsed_values

_PUBLIC_ORDERS: Final = (
    "id",
    "timestamp",
    "name",
    "userId",
    "release",
    "version",
    "public",
    "bookmarked",
    "sessionId",
    "latency",
    "totalCost",
)


async def list_page(request: Request) -> Response:
    """A page of traces, newest first unless `orderBy` says otherwise."""
    auth = await authorize(request)
    page = page_params(request)
    order_by, descending = _order(request)
    groups = _groups(request)
    query = TraceListQuery(
        project_id=auth.project_id,
        conditions=conditions_from(
            request,
            texts=("userId", "name", "sessionId", "version", "release"),
            lists=("environment",),
            all_of=("tags",),
            since={"fromTimestamp": "timestamp"},
            until={"toTimestamp": "timestamp"},
        ),
        order_by=order_by,
        descending=descending,
        limit=page.limit,
        offset=page.offset,
    )
    items, total = await list_traces(context_of(request).clickhouse, query, groups)
    return json_response(ApiPage([api_trace_item(item, groups) for item in items], page.meta(total)))


async def get_trace(request: Request) -> Response:
    """One trace with all its observations and scores."""
    auth = await authorize(request)
    trace_id = request.path_params["trace_id"]
    groups = _groups(request)
    clickhouse, canonical = context_of(request).clickhouse, canonical_id(trace_id)
    detail = await find_trace(clickhouse, auth.project_id, trace_id, groups, OBSERVATION_FIELDS)
    if detail is None and canonical != trace_id:
        detail = await find_trace(clickhouse, auth.project_id, canonical, groups, OBSERVATION_FIELDS)
    if detail is None:
        raise NotFound(f"Trace {trace_id} not found within authorized project")
    has_metrics = "metrics" in groups
    return json_response(
        ApiTraceDetail(
            **_fields(detail.trace, with_io="io" in groups),
            observations=[api_observation(row) for row in detail.observations],
            scores=[api_score(row, version=1) for row in detail.scores],
            latency=detail.latency_s if has_metrics else NOT_REQUESTED,
            total_cost=detail.total_cost if has_metrics else NOT_REQUESTED,
        )
    )


def api_trace(trace: Trace) -> ApiTrace:
    """The trace without what belongs to it."""
    return ApiTrace(**_fields(trace, with_io=True))


def api_trace_item(item: TraceItem, groups: frozenset[str]) -> ApiTraceItem:
    """The trace of a list with these groups of fields."""
    has_metrics = "metrics" in groups
    return ApiTraceItem(
        **_fields(item.trace, with_io="io" in groups),
        observations=item.observation_ids if "observations" in groups else [],
        scores=item.score_ids,
        latency=item.latency_s if has_metrics else NOT_REQUESTED,
        total_cost=item.total_cost if has_metrics else NOT_REQUESTED,
    )


def _fields(trace: Trace, *, with_io: bool) -> dict[str, Any]:
    """The fields of every answer with a trace; without input and output its metadata is empty, too."""
    return {
        "id": trace.id,
        "project_id": trace.project_id,
        "name": trace.name or "",
        "timestamp": iso_micros(trace.timestamp),
        "environment": trace.environment,
        "tags": sorted(trace.tags),
        "bookmarked": trace.bookmarked,
        "release": trace.release or None,
        "version": trace.version or None,
        "user_id": trace.user_id or None,
        "session_id": trace.session_id or None,
        "public": trace.public,
        "created_at": iso_micros(trace.created_at),
        "updated_at": iso_micros(trace.updated_at),
        "html_path": f"/project/{trace.project_id}/traces/{trace.id}",
        "input": parsed(trace.input) if with_io else None,
        "output": parsed(trace.output) if with_io else None,
        "metadata": parsed_values(trace.metadata) if with_io else {},
    }


def _groups(request: Request) -> frozenset[str]:
    names = list_param(request, "fields")
    return frozenset({"core", *names} & FIELD_GROUPS) if names else FIELD_GROUPS


def _order(request: Request) -> tuple[str, bool]:
    text = text_param(request, "orderBy")
    if text is None:
        return "timestamp", True
    column, _, direction = text.partition(".")
    if column not in _PUBLIC_ORDERS:
        raise InvalidRequest(f"Invalid order by column: {column}")
    if direction.lower() not in ("asc", "desc"):
        raise InvalidData([issues.invalid_value(("orderBy", "order"), ("ASC", "DESC"))])
    return column, direction.lower() == "desc"


ROUTES = [
    Route("/api/public/traces", list_page, methods=["GET"]),
    Route("/api/public/traces/{trace_id:segment}", get_trace, methods=["GET"]),
]
