"""GET /v3/scores: strict parameters, pages by cursor, one polymorphic value (contract: SDK contract 7.2)."""

from __future__ import annotations

import base64
import binascii
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance import issues
from appliance.api_types.pages import ApiPage, PageMeta
from appliance.api_types.scores import ApiScoreV3, ScoreSubject
from appliance.errors import InvalidData, InvalidRequest
from appliance.model.filters import Condition
from appliance.model.scores import DATA_TYPES, SOURCES, Score
from appliance.model.times import clamp
from appliance.storage.clickhouse import scores
from appliance.storage.clickhouse.scores import ScoreQuery
from appliance.web.auth import authorize
from appliance.web.filter_params import conditions_from
from appliance.web.params import int_param, list_param, text_param
from appliance.web.responses import iso_micros, json_response
from appliance.web.state import context_of
from appliance.web.stored_json import parsed_values

_LISTS: Final = {
    "id": "id",
    "name": "name",
    "environment": "environment",
    "configId": "configId",
    "queueId": "queueId",
    "authorUserId": "authorUserId",
    "traceId": "traceId",
    "sessionId": "sessionId",
    "observationId": "observationId",
    "experimentId": "datasetRunId",
}
_ENUMS: Final = {"source": SOURCES, "dataType": DATA_TYPES}
_OF_TRACES: Final = ("userId", "traceTags")
_SUBJECTS: Final = ("traceId", "sessionId", "experimentId")
_GROUPS: Final = frozenset({"core", "details", "subject", "annotation"})
_KNOWN: Final = frozenset(
    {*_LISTS, *_ENUMS, "value", "valueMin", "valueMax", "fromTimestamp", "toTimestamp", "limit", "cursor", "fields"}
)


class _Cursor(msgspec.Struct, rename="camel"):
    v: int
    last_timestamp: int
    last_id: str


async def list_page(request: Request) -> Response:
    """Scores from the cursor on, newest first; no cursor is answered on the last page."""
    auth = await authorize(request)
    _check_names(request)
    limit = int_param(request, "limit", default=50, low=1, high=100)
    groups = _groups(request)
    query = ScoreQuery(
        project_id=auth.project_id,
        conditions=_conditions(request),
        limit=limit + 1,
        after=_position(text_param(request, "cursor")),
    )
    rows = await scores.list_page(context_of(request).clickhouse, query)
    meta = PageMeta(limit=limit, cursor=_cursor(rows[limit - 1]) if len(rows) > limit else None)
    return json_response(ApiPage([api_score_v3(row, groups) for row in rows[:limit]], meta))


def _check_names(request: Request) -> None:
    """Raises for parameters that do not exist, and for those that exclude each other."""
    names = dict.fromkeys(request.query_params)
    if needs_trace := [name for name in _OF_TRACES if name in names]:
        message = "filter requires a trace JOIN and is not supported in v3 — use v2 or omit this filter"
        raise InvalidData([issues.custom((), f"{name} {message}") for name in needs_trace])
    if unknown := [name for name in names if name not in _KNOWN]:
        raise InvalidData([issues.unrecognized_keys((), unknown)])
    subjects = [name for name in _SUBJECTS if text_param(request, name)]
    if len(subjects) > 1:
        raise InvalidData([issues.custom((), "At most one of traceId, sessionId, experimentId may be specified")])
    if text_param(request, "observationId") and subjects != ["traceId"]:
        raise InvalidRequest("observationId needs traceId: observation ids are unique within a trace only.")


def _groups(request: Request) -> set[str]:
    names = set(list_param(request, "fields"))
    if unknown := sorted(names - _GROUPS):
        raise InvalidData([issues.custom(("fields",), f"Unknown field groups: {', '.join(unknown)}")])
    return names


def _conditions(request: Request) -> list[Condition]:
    conditions = conditions_from(
        request,
        lists=_LISTS,
        since={"fromTimestamp": "timestamp"},
        until={"toTimestamp": "timestamp"},
        are_dates=True,
    )
    kinds: list[str] = []
    for name, allowed in _ENUMS.items():
        values = [value.upper() for value in list_param(request, name)]
        if any(value not in allowed for value in values):
            raise InvalidData([issues.invalid_value((name,), allowed)])
        if values:
            conditions.append(Condition(type="stringOptions", column=name, operator="any of", value=values))
            kinds = values if name == "dataType" else kinds
    return conditions + _value_conditions(request, kinds)


def _value_conditions(request: Request, kinds: list[str]) -> list[Condition]:
    bounds = [(name, text) for name in ("valueMin", "valueMax") if (text := text_param(request, name))]
    if bounds and kinds != ["NUMERIC"]:
        raise InvalidData([issues.custom((), "valueMin and valueMax require dataType=NUMERIC as a single value")])
    conditions = [
        Condition(
            type="number", column="value", operator=">=" if name == "valueMin" else "<=", value=_bound(name, text)
        )
        for name, text in bounds
    ]
    values = list_param(request, "value")
    return [*conditions, _value_condition(values, kinds)] if values else conditions


def _value_condition(values: list[str], kinds: list[str]) -> Condition:
    if kinds == ["NUMERIC"]:
        numbers = {_number(text) for text in values}
        if len(numbers) > 1:
            raise InvalidRequest("Only one numeric value can be asked for; use valueMin and valueMax.")
        return Condition(type="number", column="value", operator="=", value=numbers.pop())
    if kinds == ["BOOLEAN"]:
        values = [_word(text) for text in values]
    elif len(kinds) != 1:
        raise InvalidData(
            [issues.custom((), "value filter requires a single dataType from: NUMERIC, BOOLEAN, CATEGORICAL")]
        )
    elif kinds != ["CATEGORICAL"]:
        message = f'value filter requires dataType to be NUMERIC, BOOLEAN, or CATEGORICAL (got "{kinds[0]}")'
        raise InvalidData([issues.custom((), message)])
    return Condition(type="stringOptions", column="stringValue", operator="any of", value=values)


def _bound(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidData([issues.no_number((name,))]) from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        message = f'value filter with dataType=NUMERIC requires each value to be a finite number (got "{text}")'
        raise InvalidData([issues.custom((), message)]) from None


def _word(text: str) -> str:
    """The stored value of a boolean."""
    if text.lower() in ("true", "1"):
        return "True"
    if text.lower() in ("false", "0"):
        return "False"
    message = f'value filter with dataType=BOOLEAN requires each value to be "true" or "false" (got "{text}")'
    raise InvalidData([issues.custom((), message)])


def api_score_v3(row: Score, groups: set[str]) -> ApiScoreV3:
    """The score with these groups of fields."""
    score = ApiScoreV3(
        id=row.id,
        project_id=row.project_id,
        name=row.name,
        value=_value(row),
        data_type=row.data_type,
        source=row.source,
        timestamp=iso_micros(row.timestamp),
        environment=row.environment,
        created_at=iso_micros(row.created_at),
        updated_at=iso_micros(row.updated_at),
    )
    if "details" in groups:
        score.comment = row.comment or None
        score.config_id = row.config_id or None
        score.metadata = parsed_values(row.metadata)
    if "subject" in groups:
        score.subject = _subject(row)
    if "annotation" in groups:
        score.author_user_id = row.author_user_id or None
        score.queue_id = row.queue_id or None
    return score


def _value(row: Score) -> float | bool | str:
    if row.data_type == "NUMERIC":
        return row.value
    if row.data_type == "BOOLEAN":
        return row.value == 1
    return row.long_string_value or row.string_value


def _subject(row: Score) -> ScoreSubject | None:
    if row.observation_id:
        return ScoreSubject(kind="observation", id=row.observation_id, trace_id=row.trace_id)
    if row.trace_id:
        return ScoreSubject(kind="trace", id=row.trace_id)
    if row.session_id:
        return ScoreSubject(kind="session", id=row.session_id)
    if row.dataset_run_id:
        return ScoreSubject(kind="experiment", id=row.dataset_run_id)
    return None


def _cursor(row: Score) -> str:
    content = msgspec.json.encode(_Cursor(1, row.timestamp, row.id))
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _position(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    try:
        padded = text + "=" * (-len(text) % 4)
        cursor = msgspec.json.decode(base64.urlsafe_b64decode(padded), type=_Cursor)
    except (binascii.Error, msgspec.DecodeError, ValueError, RecursionError):
        raise InvalidRequest("Invalid cursor format") from None
    return clamp(cursor.last_timestamp), cursor.last_id


ROUTES = [Route("/api/public/v3/scores", list_page, methods=["GET"])]
