"""GET /scores and /v2/scores, lists and single ones (contract: server semantics 6.7)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, Literal

from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance import issues
from appliance.api_types.pages import ApiPage
from appliance.api_types.scores import ApiScore, ScoredTrace
from appliance.errors import InvalidData, InvalidRequest, NotFound
from appliance.model.filters import Condition
from appliance.model.scores import DATA_TYPES, SOURCES, Score
from appliance.model.traces import Trace
from appliance.queries.traces import traces_by_id
from appliance.storage.clickhouse import scores
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.scores import ScoreQuery
from appliance.web.auth import authorize
from appliance.web.filter_params import conditions_from
from appliance.web.params import list_param, page_params, text_param
from appliance.web.responses import iso_micros, json_response
from appliance.web.state import context_of
from appliance.web.stored_json import parsed_values

_TEXTS: Final = ("userId", "name", "configId", "queueId")
_CLOSED_LISTS: Final = {"source": SOURCES, "dataType": DATA_TYPES}
_TEXTS_V2: Final = (*_TEXTS, "sessionId", "traceId", "datasetRunId")
_OPERATORS: Final = ("<", ">", "<=", ">=", "!=", "=")
_TRACE_IS_LEFT_OUT: Final = (
    "Cannot filter by trace properties (userId, traceTags) when 'trace' field is not included. "
    "Please add 'trace' to the fields parameter or remove trace filters."
)
Version = Literal[1, 2]


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


async def _list(request: Request, *, version: Version) -> Response:
    auth = await authorize(request)
    page = page_params(request)
    with_trace = _has_traces(request)
    query = ScoreQuery(
        project_id=auth.project_id,
        conditions=_conditions(request, version),
        only_traces=version == 1,
        limit=page.limit,
        offset=page.offset,
    )
    clickhouse = context_of(request).clickhouse
    rows, total = await asyncio.gather(scores.list_page(clickhouse, query), scores.count(clickhouse, query))
    data = [api_score(row, version=version) for row in rows]
    if with_trace:
        await _add_traces(clickhouse, auth.project_id, rows, data)
    return json_response(ApiPage(data, page.meta(total)))


async def _get(request: Request, *, version: Version) -> Response:
    auth = await authorize(request)
    row = await scores.find(context_of(request).clickhouse, auth.project_id, request.path_params["score_id"])
    if row is None or (version == 1 and (not row.trace_id or row.data_type == "CORRECTION")):
        raise NotFound("Score not found")
    return json_response(api_score(row, version=version))


def _conditions(request: Request, version: Version) -> list[Condition]:
    conditions = conditions_from(
        request,
        texts=_TEXTS_V2 if version == 2 else _TEXTS,
        one_of=_CLOSED_LISTS,
        lists={"environment": "environment", "scoreIds": "id"}
        | ({"observationId": "observationId"} if version == 2 else {}),
        all_of={"traceTags": "tags"},
        since={"fromTimestamp": "timestamp"},
        until={"toTimestamp": "timestamp"},
    )
    value = text_param(request, "value")
    if value is not None:
        conditions.append(_value_condition(value, text_param(request, "operator") or "="))
    return conditions


def _value_condition(value: str, operator: str) -> Condition:
    if operator not in _OPERATORS:
        raise InvalidData([issues.invalid_value(("operator",), _OPERATORS)])
    try:
        number = float(value)
    except ValueError:
        raise InvalidData([issues.no_number(("value",))]) from None
    return Condition(type="number", column="value", operator=operator, value=number)


def _has_traces(request: Request) -> bool:
    """Whether the answer has the traces, too; raises InvalidRequest when filters and fields contradict each other."""
    fields = list_param(request, "fields")
    if not fields:
        return True
    if "score" not in fields:
        raise InvalidRequest("Scores needs to be selected always.")
    by_trace = text_param(request, "userId") or list_param(request, "traceTags")
    if by_trace and "trace" not in fields:
        raise InvalidRequest(_TRACE_IS_LEFT_OUT)
    return "trace" in fields


async def _add_traces(clickhouse: ClickHouse, project_id: str, rows: Sequence[Score], data: list[ApiScore]) -> None:
    traces = await traces_by_id(clickhouse, project_id, (row.trace_id for row in rows if row.trace_id))
    for row, score in zip(rows, data, strict=True):
        trace = traces.get(row.trace_id)
        score.trace = _scored_trace(trace) if trace else None


def _scored_trace(trace: Trace) -> ScoredTrace:
    return ScoredTrace(
        user_id=trace.user_id or None,
        tags=trace.tags,
        environment=trace.environment,
        session_id=trace.session_id or None,
    )


def api_score(row: Score, *, version: Version) -> ApiScore:
    """The score of one of the first two API versions; the first knows no sessions and no dataset runs."""
    string_value = row.string_value
    if row.data_type == "TEXT":
        string_value = row.string_value or row.long_string_value
    elif row.data_type == "CORRECTION":
        string_value = row.long_string_value or row.string_value
    is_text = row.data_type in ("TEXT", "CORRECTION")
    return ApiScore(
        id=row.id,
        project_id=row.project_id,
        environment=row.environment,
        timestamp=iso_micros(row.timestamp),
        name=row.name,
        value=UNSET if row.data_type == "TEXT" else row.value,
        string_value=string_value if is_text else string_value or None,
        data_type=row.data_type,
        source=row.source,
        author_user_id=row.author_user_id or None,
        comment=row.comment or None,
        metadata=parsed_values(row.metadata),
        config_id=row.config_id or None,
        queue_id=row.queue_id or None,
        execution_trace_id=row.execution_trace_id or None,
        created_at=iso_micros(row.created_at),
        updated_at=iso_micros(row.updated_at),
        trace_id=row.trace_id or None,
        observation_id=row.observation_id or None,
        session_id=UNSET if version == 1 else row.session_id or None,
        dataset_run_id=UNSET if version == 1 else row.dataset_run_id or None,
    )


ROUTES = [
    Route("/api/public/scores", list_v1, methods=["GET"]),
    Route("/api/public/scores/{score_id:segment}", get_v1, methods=["GET"]),
    Route("/api/public/v2/scores", list_v2, methods=["GET"]),
    Route("/api/public/v2/scores/{score_id:segment}", get_v2, methods=["GET"]),
]
