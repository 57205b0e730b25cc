"""GET /v2/observations: pages by cursor, groups of fields (contract: SDK contract 7.1)."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance.errors import InvalidData, InvalidRequest
from appliance.model.filters import Condition
from appliance.model.observations import Observation
from appliance.model.times import clamp, parse_time
from appliance.model.traces import Trace, aggregate_parts
from appliance.storage.clickhouse import observations
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.observations import ObservationKey, ObservationQuery, Position
from appliance.storage.clickhouse.traces.detail import read_parts
from appliance.web.api.shapes import observation_v2, observation_v2_fields
from appliance.web.auth import authorize
from appliance.web.filter_params import clickhouse_of, conditions_from
from appliance.web.params import bool_param, int_param, issue, list_param
from appliance.web.responses import json_response

GROUPS: Final = frozenset(
    {"core", "basic", "time", "io", "metadata", "model", "usage", "prompt", "metrics", "trace_context"}
)
_DEFAULT: Final = frozenset({"core", "basic"})
_FROM_TRACE: Final = frozenset({"basic", "trace_context"})


class _Cursor(msgspec.Struct, rename="camel"):
    last_start_time_to: str
    last_trace_id: str
    last_id: str
    hash: Annotated[int, msgspec.Meta(ge=0, lt=2**32)]


async def list_page(request: Request) -> Response:
    """Observations from the cursor on, the newest start first; no cursor is answered on the last page."""
    auth = await authorize(request)
    if bool_param(request, "parseIoAsJson"):
        raise InvalidRequest("parseIoAsJson is not supported: input and output are always raw strings.")
    limit = int_param(request, "limit", default=50, low=0, high=1000)
    asked = list_param(request, "fields")
    groups = frozenset({"core", *asked} & GROUPS) if asked else _DEFAULT
    clickhouse = clickhouse_of(request)
    query = ObservationQuery(
        project_id=auth.project_id,
        conditions=_conditions(request),
        limit=limit + 1,
        after=_position(request.query_params.get("cursor", "")),
        fields=observation_v2_fields(groups),
    )
    keys = await observations.list_keys(clickhouse, query) if limit else []
    more = len(keys) > limit
    keys = keys[:limit]
    rows, of_traces = await asyncio.gather(
        observations.read(clickhouse, query, keys),
        _traces(clickhouse, auth.project_id, keys if groups & _FROM_TRACE else []),
    )
    _fill_from_traces(rows, of_traces)
    bookmarked = {trace_id for trace_id, trace in of_traces.items() if trace.bookmarked}
    expanded = set(list_param(request, "expandMetadata"))
    return json_response(
        {
            "data": [
                observation_v2(row, set(groups), expanded, in_bookmarked_trace=row.trace_id in bookmarked)
                for row in rows
            ],
            "meta": {"cursor": _cursor(keys[-1])} if more else {},
        }
    )


def _conditions(request: Request) -> list[Condition]:
    found = conditions_from(
        request,
        texts=("type", "name", "userId", "sessionId", "level", "traceId", "version", "parentObservationId"),
        lists=("environment",),
        since={"fromStartTime": "startTime"},
        until={"toStartTime": "startTime"},
    )
    mentioned = {condition.column for condition in found}
    is_root = bool_param(request, "isRootObservation")
    if is_root is not None and "isRootObservation" not in mentioned:
        found.append(Condition(type="boolean", column="isRootObservation", operator="=", value=is_root))
    if request.query_params.get("parentObservationId") == "" and "parentObservationId" not in mentioned:
        found.append(Condition(type="null", column="parentObservationId", operator="is null"))
    return found


async def _traces(clickhouse: ClickHouse, project_id: str, keys: Sequence[ObservationKey]) -> dict[str, Trace]:
    ids = sorted({key.trace_id for key in keys})
    parts = await read_parts(clickhouse, project_id, ids, with_texts=False)
    return {trace_id: aggregate_parts(found) for trace_id, found in parts.items()}


def _fill_from_traces(rows: Sequence[Observation], of_traces: Mapping[str, Trace]) -> None:
    """What only the trace was told (by the ingestion API, or by another span) is shown on its observations too."""
    for row in rows:
        if (trace := of_traces.get(row.trace_id)) is None:
            continue
        row.user_id = row.user_id or trace.user_id or ""
        row.session_id = row.session_id or trace.session_id or ""
        row.trace_name = row.trace_name or trace.name or ""
        row.release = row.release or trace.release or ""
        row.tags = row.tags or trace.tags
        row.public = row.public or trace.public


def _cursor(key: ObservationKey) -> str:
    seconds, micros = divmod(key.start_micros, 1_000_000)
    content = _Cursor(f"{seconds}.{micros:06d}", key.trace_id, key.id, key.trace_hash)
    return base64.b64encode(msgspec.json.encode(content)).decode()


def _position(text: str) -> Position | None:
    if not text:
        return None
    try:
        found = msgspec.json.decode(base64.b64decode(text.replace(" ", "+"), validate=True), type=_Cursor)
        start = _micros(found.last_start_time_to)
    except (binascii.Error, msgspec.DecodeError, ValueError, RecursionError):
        raise InvalidData([issue("cursor", "Invalid cursor", "invalid_string")]) from None
    return Position(start_micros=start, trace_hash=found.hash, id=found.last_id)


def _micros(text: str) -> int:
    if "T" in text:
        return parse_time(text)
    seconds, _, micros = text.partition(".")
    return clamp(int(seconds) * 1_000_000 + int(micros))


routes = [Route("/api/public/v2/observations", list_page, methods=["GET"])]
