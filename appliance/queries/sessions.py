"""One session with all its traces."""

from __future__ import annotations

from typing import Final

from appliance.model.filters import Condition
from appliance.model.traces import Trace
from appliance.queries.traces import read_items
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.traces.pages import TraceListQuery, find_page

_ALL: Final = 1_000_000


async def session_traces(clickhouse: ClickHouse, project_id: str, session_id: str) -> list[Trace]:
    """The traces of a session, oldest first."""
    same = Condition(type="string", column="sessionId", operator="=", value=session_id)
    query = TraceListQuery(project_id=project_id, conditions=[same], descending=False, limit=_ALL)
    page = await find_page(clickhouse, query)
    return [item.trace for item in await read_items(clickhouse, project_id, page.keys, frozenset({"core", "io"}))]
