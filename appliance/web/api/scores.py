"""GET /scores and /v2/scores, lists and single ones (contract: server semantics 6.7)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance.errors import InvalidData, InvalidRequest, NotFound
from appliance.model.filters import Condition
from appliance.model.scores import Score
from appliance.model.traces import aggregate_parts
from appliance.storage.clickhouse import scores
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.scores import ScoreQuery
from appliance.storage.clickhouse.traces.detail import read_parts
from appliance.web.api import scores_v3
from appliance.web.api.shapes import Json, score
from appliance.web.auth import authorize
from appliance.web.filter_params import clickhouse_of, conditions_from
from appliance.web.params import issue, list_param, page_from, text_param
from appliance.web.responses import json_response

_TEXTS: Final = ("userId", "name", "source", "dataType", "configId", "queueId")
_TEXTS_V2: Final = (*_TEXTS, "sessionId", "traceId", "datasetRunId")
_OPERATORS: Final = ("<", ">", "<=", ">=", "!=", "=")


async def list_v1(request: Request) -> Response:
    """A page of the scores of traces and observations, newest first."""
    return await _list(request, version=1)


async def list_v2(request: Request) -> Response:
    """A page of all scores, newest first."""
    return await _list(request, version=2)


async def get_v1(request: Request) -> Response:
    """One score of a trace or an observation."""
    return await _get(request, version=1)


async def get_v2(request: Request) -> Response:
    """One score of any kind."""
    return await _get(request, version=2)


async def _list(request: Request, *, version: int) -> Response:
    auth = await authorize(request)
    page = page_from(request)
    with_trace = _asks_traces(request)
    query = ScoreQuery(
        project_id=auth.project_id,
        conditions=_conditions(request, version),
        only_traces=version == 1,
        limit=page.limit,
        offset=page.offset,
    )
    clickhouse = clickhouse_of(request)
    rows, total = await asyncio.gather(scores.list_page(clickhouse, query), scores.count(clickhouse, query))
    data = [score(row, with_runs=version == 2) for row in rows]
    if with_trace:
        await _add_traces(clickhouse, auth.project_id, rows, data)
    return json_response({"data": data, "meta": page.meta(total)})


async def _get(request: Request, *, version: int) -> Response:
    auth = await authorize(request)
    row = await scores.find(clickhouse_of(request), auth.project_id, request.path_params["score_id"])
    if row is None or (version == 1 and (not row.trace_id or row.data_type == "CORRECTION")):
        raise NotFound("Score not found")
    return json_response(score(row, with_runs=version == 2))


def _conditions(request: Request, version: int) -> list[Condition]:
    found = conditions_from(
        request,
        texts=_TEXTS_V2 if version == 2 else _TEXTS,
        lists={"environment": "environment", "scoreIds": "id"}
        | ({"observationId": "observationId"} if version == 2 else {}),
        all_of={"traceTags": "tags"},
        since={"fromTimestamp": "timestamp"},
        until={"toTimestamp": "timestamp"},
    )
    value = text_param(request, "value")
    if value is not None:
        found.append(_value_condition(value, text_param(request, "operator") or "="))
    return found


def _value_condition(value: str, operator: str) -> Condition:
    if operator not in _OPERATORS:
        raise InvalidData([issue("operator", f"Expected one of {' '.join(_OPERATORS)}", "invalid_enum_value")])
    try:
        number = float(value)
    except ValueError:
        raise InvalidData([issue("value", "Expected number")]) from None
    return Condition(type="number", column="value", operator=operator, value=number)


def _asks_traces(request: Request) -> bool:
    """Whether the answer carries the traces; raises InvalidRequest when filters and fields contradict each other."""
    fields = list_param(request, "fields")
    if not fields:
        return True
    if "score" not in fields:
        raise InvalidRequest("Scores needs to be selected always.")
    by_trace = text_param(request, "userId") or list_param(request, "traceTags")
    if by_trace and "trace" not in fields:
        raise InvalidRequest("Cannot filter by trace properties unless the trace field is included.")
    return "trace" in fields


async def _add_traces(clickhouse: ClickHouse, project_id: str, rows: Sequence[Score], data: list[Json]) -> None:
    ids = sorted({row.trace_id for row in rows if row.trace_id})
    parts = await read_parts(clickhouse, project_id, ids, with_texts=False)
    for row, shape in zip(rows, data, strict=True):
        found = parts.get(row.trace_id)
        trace = aggregate_parts(found) if found else None
        shape["trace"] = trace and {
            "userId": trace.user_id or None,
            "tags": trace.tags,
            "environment": trace.environment,
            "sessionId": trace.session_id or None,
        }


routes = [
    Route("/api/public/scores", list_v1, methods=["GET"]),
    Route("/api/public/scores/{score_id:segment}", get_v1, methods=["GET"]),
    Route("/api/public/v2/scores", list_v2, methods=["GET"]),
    Route("/api/public/v2/scores/{score_id:segment}", get_v2, methods=["GET"]),
    *scores_v3.routes,
]
