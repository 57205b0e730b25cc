"""Reading sessions, which exist only as names in traces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from appliance.model.filters import Condition
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.queries import render
from appliance.storage.clickhouse.where import Binder, FilterColumn, all_of, find_column

SESSION_COLUMNS: Final[Mapping[str, FilterColumn]] = {
    "id": FilterColumn("string", "session"),
    "createdAt": FilterColumn("datetime", "first_written"),
    "environment": FilterColumn("string", "first_environment"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionQuery:
    """Which sessions; the one written last comes first."""

    project_id: str
    conditions: Sequence[Condition] = ()
    limit: int = 50
    offset: int = 0


class Session(msgspec.Struct):
    """A session; created when its first trace was written, in microseconds since the epoch."""

    id: str
    created_at: int
    environment: str


class _Total(msgspec.Struct):
    total: int


async def list_page(clickhouse: ClickHouse, query: SessionQuery) -> list[Session]:
    """One page in order. Raises InvalidRequest, QueryTooExpensive and StoreUnavailable."""
    binder, where = _where(query)
    sql = render("sessions", "page", seen=render("sessions", "seen", bounds=""), where=where)
    return await clickhouse.rows(sql, binder.params | {"limit": query.limit, "offset": query.offset}, Session)


async def count(clickhouse: ClickHouse, query: SessionQuery) -> int:
    """How many sessions fulfil the conditions."""
    binder, where = _where(query)
    sql = render("sessions", "count", seen=render("sessions", "seen", bounds=""), where=where)
    return (await clickhouse.rows(sql, binder.params, _Total))[0].total


async def find(clickhouse: ClickHouse, project_id: str, session_id: str) -> Session | None:
    """One session by its id, or None."""
    binder = Binder({"project_id": project_id, "limit": 1, "offset": 0})
    seen = render("sessions", "seen", bounds=f"AND session_id = {binder.bind(session_id)}")
    rows = await clickhouse.rows(render("sessions", "page", seen=seen, where=""), binder.params, Session)
    return rows[0] if rows else None


def _where(query: SessionQuery) -> tuple[Binder, str]:
    binder = Binder({"project_id": query.project_id})
    tests = [binder.test(find_column(SESSION_COLUMNS, condition), condition) for condition in query.conditions]
    return binder, all_of(tests, prefix="WHERE ")
