"""GET /metrics, /v2/metrics and /metrics/daily (contract: server semantics 6.8)."""

from __future__ import annotations

from collections import defaultdict
from typing import Annotated, Any, Final, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance.errors import InvalidData, InvalidRequest
from appliance.model.filters import parse_conditions
from appliance.model.metrics import AGGREGATIONS, VIEWS, Metric, MetricsQuery, automatic_granularity
from appliance.model.times import parse_time
from appliance.storage.clickhouse import metrics
from appliance.storage.clickhouse.metrics import DailyUsage
from appliance.web.auth import Auth, authorize
from appliance.web.filter_params import clickhouse_of, conditions_from
from appliance.web.params import issue, page_from
from appliance.web.responses import json_response

_HIGH_CARDINALITY: Final = frozenset({"id", "traceId", "userId", "sessionId", "parentObservationId", "observationId"})
_V2_ROWS: Final = 100


class _Dimension(msgspec.Struct):
    field: str


class _Metric(msgspec.Struct):
    measure: str
    aggregation: str


class _TimeDimension(msgspec.Struct):
    granularity: Literal["auto", "minute", "hour", "day", "week", "month"]


class _Order(msgspec.Struct):
    field: str
    direction: Literal["asc", "desc"]


class _Config(msgspec.Struct):
    bins: Annotated[int, msgspec.Meta(ge=1, le=100)] | None = None
    row_limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] | None = None


class _Question(msgspec.Struct, rename="camel"):
    view: str
    metrics: Annotated[list[_Metric], msgspec.Meta(min_length=1)]
    from_timestamp: str
    to_timestamp: str
    dimensions: list[_Dimension] = []
    filters: list[Any] = []
    time_dimension: _TimeDimension | None = None
    order_by: list[_Order] | None = None
    config: _Config | None = None


async def query_v1(request: Request) -> Response:
    """Any question over traces, observations and scores."""
    auth = await authorize(request)
    return await _answer(request, auth, _question(request, VIEWS))


async def query_v2(request: Request) -> Response:
    """Any question over observations and scores; the number of rows is always limited."""
    auth = await authorize(request)
    question = _question(request, VIEWS[1:])
    many = sorted({each.field for each in question.dimensions} & _HIGH_CARDINALITY)
    limit = question.config.row_limit if question.config else None
    descends = bool(question.order_by) and any(each.direction == "desc" for each in question.order_by or [])
    if many and (limit is None or not descends or question.time_dimension is not None):
        raise InvalidRequest(
            f"{', '.join(many)} has too many values to group by: set config.row_limit and a descending orderBy on a "
            "metric, and leave out timeDimension."
        )
    config = question.config or _Config()
    question.config = _Config(config.bins, limit or _V2_ROWS)
    return await _answer(request, auth, question)


async def _answer(request: Request, auth: Auth, question: _Question) -> Response:
    query = _query(question)
    return json_response({"data": await metrics.run(clickhouse_of(request), auth.project_id, query)})


def _question(request: Request, views: tuple[str, ...]) -> _Question:
    text = request.query_params.get("query", "")
    try:
        question = msgspec.json.decode(text, type=_Question)
    except msgspec.ValidationError as error:
        raise InvalidData([issue("query", str(error))]) from None
    except (msgspec.DecodeError, RecursionError):
        raise InvalidData([issue("query", "Invalid JSON", "custom")]) from None
    if question.view not in views:
        message = f"Invalid enum value. Expected {' | '.join(views)}, received {question.view!r}"
        raise InvalidData([issue("view", message, "invalid_enum_value")])
    for metric in question.metrics:
        if metric.aggregation not in AGGREGATIONS:
            message = f"Invalid enum value. Expected {' | '.join(AGGREGATIONS)}, received {metric.aggregation!r}"
            raise InvalidData([issue("aggregation", message, "invalid_enum_value")])
    return question


def _query(question: _Question) -> MetricsQuery:
    since, until = _time("fromTimestamp", question.from_timestamp), _time("toTimestamp", question.to_timestamp)
    if until < since:
        raise InvalidRequest("toTimestamp must be after fromTimestamp")
    granularity = question.time_dimension.granularity if question.time_dimension else None
    config = question.config or _Config()
    return MetricsQuery(
        view=question.view,
        metrics=[Metric(each.measure, each.aggregation) for each in question.metrics],
        since=since,
        until=until,
        dimensions=[each.field for each in question.dimensions],
        conditions=parse_conditions(question.filters),
        granularity=automatic_granularity(since, until) if granularity == "auto" else granularity,
        order_by=[(each.field, each.direction == "desc") for each in question.order_by or []],
        row_limit=config.row_limit,
        bins=config.bins or 10,
    )


def _time(name: str, text: str) -> int:
    try:
        return parse_time(text)
    except ValueError:
        raise InvalidData([issue(name, "Invalid datetime", "invalid_string")]) from None


async def daily(request: Request) -> Response:
    """Traces, observations, cost and usage by model of every day, newest first."""
    auth = await authorize(request)
    page = page_from(request)
    texts = {"traceName": "traceName", "userId": "userId"}
    lists = {"environment": "environment"}
    tags = {"tags": "tags"}
    usage, traces = await metrics.daily(
        clickhouse_of(request),
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
    data = [_day(day, counts.get(day, 0), by_day.get(day, [])) for day in shown]
    return json_response({"data": data, "meta": page.meta(len(days))})


def _day(day: str, traces: int, rows: list[DailyUsage]) -> dict[str, Any]:
    return {
        "date": day,
        "countTraces": traces,
        "countObservations": sum(row.observation_count for row in rows),
        "totalCost": round(sum(row.cost for row in rows), 12),
        "usage": [
            {
                "model": row.model_name,
                "inputUsage": row.input_usage,
                "outputUsage": row.output_usage,
                "totalUsage": row.total_usage,
                "totalCost": row.cost,
                "countObservations": row.observation_count,
                "countTraces": row.trace_count,
            }
            for row in rows
        ],
    }


routes = [
    Route("/api/public/metrics", query_v1, methods=["GET"]),
    Route("/api/public/metrics/daily", daily, methods=["GET"]),
    Route("/api/public/v2/metrics", query_v2, methods=["GET"]),
]
