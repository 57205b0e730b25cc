"""GET /metrics, /v2/metrics and /metrics/daily (contract: server semantics 6.8)."""

from __future__ import annotations

from collections import defaultdict
from typing import Final, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance import issues
from appliance.api_types.metrics import DailyMetrics, DailyModelUsage, MetricsConfig, MetricsRequest, MetricsRequestV2
from appliance.api_types.pages import ApiList, ApiPage
from appliance.errors import InvalidData, InvalidRequest
from appliance.issues import Issue
from appliance.model.filters import parse_conditions
from appliance.model.metrics import Metric, MetricsQuery, automatic_granularity
from appliance.model.times import parse_time
from appliance.storage.clickhouse import metrics
from appliance.storage.clickhouse.metrics import DailyUsage
from appliance.web.auth import Auth, authorize
from appliance.web.bodies import decode, refusal
from appliance.web.filter_params import conditions_from
from appliance.web.params import page_params
from appliance.web.responses import json_response
from appliance.web.state import context_of

_HIGH_CARDINALITY: Final = frozenset({"id", "traceId", "userId", "sessionId", "parentObservationId", "observationId"})
_V2_ROWS: Final = 100
_PATH: Final = ("query",)

Body = TypeVar("Body", bound=MetricsRequest)


async def query_v1(request: Request) -> Response:
    """Any question over traces, observations and scores."""
    auth = await authorize(request)
    return await _answer(request, auth, _metrics_request(request, MetricsRequest))


async def query_v2(request: Request) -> Response:
    """Any question over observations and scores; the number of rows is always limited."""
    auth = await authorize(request)
    body = _metrics_request(request, MetricsRequestV2)
    many = sorted({dimension.field for dimension in body.dimensions} & _HIGH_CARDINALITY)
    limit = body.config.row_limit if body.config else None
    descends = bool(body.order_by) and any(order.direction == "desc" for order in body.order_by or [])
    if many and (limit is None or not descends or body.time_dimension is not None):
        raise InvalidRequest(
            f"{', '.join(many)} has too many values to group by: set config.row_limit and a descending orderBy on a "
            "metric, and leave out timeDimension."
        )
    config = body.config or MetricsConfig()
    body.config = MetricsConfig(config.bins, limit or _V2_ROWS)
    return await _answer(request, auth, body)


async def _answer(request: Request, auth: Auth, body: MetricsRequest) -> Response:
    query = _query(body)
    return json_response(ApiList(await metrics.run(context_of(request).clickhouse, auth.project_id, query)))


def _metrics_request(request: Request, body_type: type[Body]) -> Body:
    text = request.query_params.get("query")
    if text is None:
        raise InvalidData([issues.invalid_type(_PATH, "string")])
    try:
        return decode(text, body_type)
    except msgspec.ValidationError as error:
        raise refusal(text, [body_type], error, _PATH) from None
    except InvalidRequest:
        raise InvalidRequest("Invalid JSON in query parameter") from None


def _query(body: MetricsRequest) -> MetricsQuery:
    since, until = _window(body)
    granularity = body.time_dimension.granularity if body.time_dimension else None
    config = body.config or MetricsConfig()
    return MetricsQuery(
        view=body.view,
        metrics=[Metric(metric.measure, metric.aggregation) for metric in body.metrics],
        since=since,
        until=until,
        dimensions=[dimension.field for dimension in body.dimensions],
        conditions=parse_conditions(body.filters, (*_PATH, "filters")),
        granularity=automatic_granularity(since, until) if granularity == "auto" else granularity,
        order_by=[(order.field, order.direction == "desc") for order in body.order_by or []],
        row_limit=config.row_limit,
        bins=config.bins or 10,
    )


def _window(body: MetricsRequest) -> tuple[int, int]:
    moments: list[int] = []
    found: list[Issue] = []
    for name, text in (("fromTimestamp", body.from_timestamp), ("toTimestamp", body.to_timestamp)):
        try:
            moments.append(parse_time(text))
        except ValueError:
            found.append(issues.no_iso_time((*_PATH, name)))
    if found or moments[0] > moments[1]:
        found.append(issues.custom(_PATH, "fromTimestamp must be before toTimestamp"))
        raise InvalidData(found)
    return moments[0], moments[1]


async def daily(request: Request) -> Response:
    """Traces, observations, cost and usage by model of every day, newest first."""
    auth = await authorize(request)
    page = page_params(request)
    texts = {"traceName": "traceName", "userId": "userId"}
    lists = {"environment": "environment"}
    tags = {"tags": "tags"}
    usage, traces = await metrics.daily(
        context_of(request).clickhouse,
        auth.project_id,
        observation_conditions=conditions_from(
            request,
            texts=texts,
            lists=lists,
            all_of=tags,
            since={"fromTimestamp": "startTime"},
            until={"toTimestamp": "startTime"},
        ),
        trace_conditions=conditions_from(
            request,
            texts=texts,
            lists=lists,
            all_of=tags,
            since={"fromTimestamp": "timestamp"},
            until={"toTimestamp": "timestamp"},
        ),
    )
    counts = {row.day: row.trace_count for row in traces}
    by_day: dict[str, list[DailyUsage]] = defaultdict(list)
    for row in usage:
        by_day[row.day].append(row)
    days = sorted(counts.keys() | by_day.keys(), reverse=True)
    shown = days[page.offset : page.offset + page.limit]
    data = [daily_metrics(day, counts.get(day, 0), by_day.get(day, [])) for day in shown]
    return json_response(ApiPage(data, page.meta(len(days))))


def daily_metrics(day: str, traces: int, rows: list[DailyUsage]) -> DailyMetrics:
    """The figures of one day."""
    return DailyMetrics(
        date=day,
        count_traces=traces,
        count_observations=sum(row.observation_count for row in rows),
        total_cost=round(sum(row.cost for row in rows), 12),
        usage=[
            DailyModelUsage(
                model=row.model_name,
                input_usage=row.input_usage,
                output_usage=row.output_usage,
                total_usage=row.total_usage,
                total_cost=row.cost,
                count_observations=row.observation_count,
                count_traces=row.trace_count,
            )
            for row in rows
        ],
    )


ROUTES = [
    Route("/api/public/metrics", query_v1, methods=["GET"]),
    Route("/api/public/metrics/daily", daily, methods=["GET"]),
    Route("/api/public/v2/metrics", query_v2, methods=["GET"]),
]
