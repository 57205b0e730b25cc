"""Reading scores: pages of them, single ones, and those of a trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from appliance.model.filters import Condition
from appliance.model.scores import Score
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.observation_filters import through_trace
from appliance.storage.clickhouse.queries import render
from appliance.storage.clickhouse.traces.all import PendingTraces, read_pending_traces
from appliance.storage.clickhouse.traces.time_bounds import KNOWN_PLACES
from appliance.storage.clickhouse.where import Binder, FilterColumn, all_of, find_column

_ALIASES: Final = {"prefer_column_name_to_alias": 1}
_TRACE: Final = "trace"
_MANY: Final = 100_000

SCORE_COLUMNS: Final[Mapping[str, FilterColumn]] = {
    "id": FilterColumn("string", "id"),
    "name": FilterColumn("string", "name"),
    "value": FilterColumn("number", "value"),
    "stringValue": FilterColumn("string", "string_value"),
    "source": FilterColumn("string", "source"),
    "dataType": FilterColumn("string", "data_type"),
    "configId": FilterColumn("string", "config_id"),
    "queueId": FilterColumn("string", "queue_id"),
    "authorUserId": FilterColumn("string", "author_user_id"),
    "comment": FilterColumn("string", "comment"),
    "timestamp": FilterColumn("datetime", "timestamp"),
    "traceId": FilterColumn("string", "trace_id"),
    "observationId": FilterColumn("string", "observation_id"),
    "sessionId": FilterColumn("string", "session_id"),
    "datasetRunId": FilterColumn("string", "dataset_run_id"),
    "environment": FilterColumn("string", "environment"),
    "metadata": FilterColumn("map", "metadata"),
    "traceName": FilterColumn("string", "", _TRACE),
    "userId": FilterColumn("string", "", _TRACE),
    "tags": FilterColumn("array", "", _TRACE),
    "traceTags": FilterColumn("array", "", _TRACE),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreQuery:
    """Which scores; the newest comes first."""

    project_id: str
    conditions: Sequence[Condition] = ()
    only_traces: bool = False
    """Leave out corrections and the scores of sessions and dataset runs, as the first API version does."""
    limit: int = 50
    offset: int = 0
    after: tuple[int, str] | None = None
    """Timestamp (microseconds) and id of the last score of the page before."""


class _Total(msgspec.Struct):
    total: int


class _Some(msgspec.Struct):
    some: int


async def list_page(clickhouse: ClickHouse, query: ScoreQuery) -> list[Score]:
    """One page in order. Raises InvalidRequest for a bad filter, QueryTooExpensive and StoreUnavailable."""
    where, binder = await _where(clickhouse, query)
    params = binder.params | {"limit": query.limit, "offset": query.offset}
    return await clickhouse.rows(render("scores", "page", where=where), params, Score, settings=_ALIASES)


async def count(clickhouse: ClickHouse, query: ScoreQuery) -> int:
    """How many scores fulfil the conditions."""
    where, binder = await _where(clickhouse, query)
    sql = render("scores", "count", where=where)
    return (await clickhouse.rows(sql, binder.params, _Total, settings=_ALIASES))[0].total


async def find(clickhouse: ClickHouse, project_id: str, score_id: str) -> Score | None:
    """One score by its id, or None."""
    same = Condition(type="string", column="id", operator="=", value=score_id)
    rows = await list_page(clickhouse, ScoreQuery(project_id=project_id, conditions=[same], limit=1))
    return rows[0] if rows else None


async def of_trace(clickhouse: ClickHouse, project_id: str, trace_id: str) -> list[Score]:
    """All scores of a trace and of its observations, newest first, without corrections."""
    params = {"project_id": project_id, "trace_id": trace_id}
    # Most traces have none, and planning the columns of scores takes longer than to see that.
    if not await clickhouse.rows(render("scores", "of_trace"), params, _Some, settings=KNOWN_PLACES):
        return []
    same = Condition(type="string", column="traceId", operator="=", value=trace_id)
    query = ScoreQuery(project_id=project_id, conditions=[same], only_traces=True, limit=_MANY)
    return await list_page(clickhouse, query)


async def _where(clickhouse: ClickHouse, query: ScoreQuery) -> tuple[str, Binder]:
    binder = Binder({"project_id": query.project_id})
    through_traces = any(find_column(SCORE_COLUMNS, each).source == _TRACE for each in query.conditions)
    pending = await read_pending_traces(clickhouse, query.project_id, needed=through_traces)
    tests = score_tests(query.conditions, binder, pending)
    if query.only_traces:
        tests.append("trace_id != '' AND data_type != 'CORRECTION'")
    if query.after is not None:
        moment, score_id = query.after
        tests.append(f"(timestamp, id) < ({binder.time(moment)}, {binder.bind(score_id)})")
    return all_of(tests, prefix="AND "), binder


def score_tests(conditions: Sequence[Condition], binder: Binder, pending: PendingTraces) -> list[str]:
    """SQL of conditions on the rows of scores; raises InvalidRequest as `Binder.test`."""
    columns = [find_column(SCORE_COLUMNS, each) for each in conditions]
    pairs = list(zip(columns, conditions, strict=True))
    tests = [binder.test(column, each) for column, each in pairs if column.source != _TRACE]
    of_trace = [each for column, each in pairs if column.source == _TRACE]
    return tests + ([through_trace(of_trace, binder, pending)] if of_trace else [])
