"""GET /traces and /traces/{id} (contract: server semantics 6.4)."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance.errors import InvalidRequest, NotFound
from appliance.model.ids import canonical_id
from appliance.queries.traces import FIELD_GROUPS, TraceItem, find_trace, list_traces
from appliance.storage.clickhouse.traces.pages import TraceQuery
from appliance.web.api.shapes import OBSERVATION_FIELDS, Json, observation, score, trace_core, trace_io
from appliance.web.auth import authorize
from appliance.web.filter_params import clickhouse_of, conditions_from
from appliance.web.params import list_param, page_from, text_param
from appliance.web.responses import json_response

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
_NOT_ASKED: Final = -1


async def list_page(request: Request) -> Response:
    """A page of traces, newest first unless `orderBy` says otherwise."""
    auth = await authorize(request)
    page = page_from(request)
    order_by, descending = _order(request)
    groups = _groups(request)
    query = TraceQuery(
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
    items, total = await list_traces(clickhouse_of(request), query, groups)
    return json_response({"data": [_item(item, groups) for item in items], "meta": page.meta(total)})


async def get_trace(request: Request) -> Response:
    """One trace with all its observations and scores."""
    auth = await authorize(request)
    trace_id = request.path_params["trace_id"]
    groups = _groups(request)
    clickhouse, canonical = clickhouse_of(request), canonical_id(trace_id)
    detail = await find_trace(clickhouse, auth.project_id, trace_id, groups, OBSERVATION_FIELDS)
    if detail is None and canonical != trace_id:
        detail = await find_trace(clickhouse, auth.project_id, canonical, groups, OBSERVATION_FIELDS)
    if detail is None:
        raise NotFound(f"Trace {trace_id} not found within authorized project")
    has_metrics = "metrics" in groups
    return json_response(
        trace_core(detail.trace)
        | trace_io(detail.trace, included="io" in groups)
        | {
            "observations": [observation(row) for row in detail.observations],
            "scores": [score(row, with_runs=False) for row in detail.scores],
            "latency": detail.latency_s if has_metrics else _NOT_ASKED,
            "totalCost": detail.total_cost if has_metrics else _NOT_ASKED,
        }
    )


def _item(item: TraceItem, groups: frozenset[str]) -> Json:
    has_metrics = "metrics" in groups
    return (
        trace_core(item.trace)
        | trace_io(item.trace, included="io" in groups)
        | {
            "observations": item.observation_ids if "observations" in groups else [],
            "scores": item.score_ids,
            "latency": item.latency_s if has_metrics else _NOT_ASKED,
            "totalCost": item.total_cost if has_metrics else _NOT_ASKED,
        }
    )


def _groups(request: Request) -> frozenset[str]:
    asked = list_param(request, "fields")
    return frozenset({"core", *asked} & FIELD_GROUPS) if asked else FIELD_GROUPS


def _order(request: Request) -> tuple[str, bool]:
    text = text_param(request, "orderBy")
    if text is None:
        return "timestamp", True
    column, _, direction = text.partition(".")
    if column not in _PUBLIC_ORDERS:
        raise InvalidRequest(f"Invalid order by column: {column}")
    if direction.lower() not in ("", "asc", "desc"):
        raise InvalidRequest(f"Invalid order by direction: {direction}")
    return column, direction.lower() == "desc"


routes = [
    Route("/api/public/traces", list_page, methods=["GET"]),
    Route("/api/public/traces/{trace_id:segment}", get_trace, methods=["GET"]),
]
