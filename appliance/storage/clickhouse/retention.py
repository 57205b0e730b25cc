"""How old and how large the stored traces are."""

from __future__ import annotations

import msgspec

from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.queries import render
from appliance.storage.clickhouse.where import Binder


class _Count(msgspec.Struct):
    traces: int


class _Bytes(msgspec.Struct):
    bytes: int


class _Moment(msgspec.Struct):
    moment: int


async def count_before(clickhouse: ClickHouse, project_id: str, before: int) -> int:
    """How many traces of a project began before a moment (microseconds since the epoch); raises StoreUnavailable."""
    binder = Binder({"project_id": project_id})
    sql = render("retention", "count_before", before=binder.time(before))
    [row] = await clickhouse.rows(sql, binder.params, _Count, settings=clickhouse.hiding)
    return row.traces


async def stored_bytes(clickhouse: ClickHouse) -> int:
    """Bytes that all tables take on disk, compressed, on all servers; raises StoreUnavailable."""
    sql = render("retention", "stored_bytes", parts=clickhouse.everywhere("system.parts"))
    [row] = await clickhouse.rows(sql, {"database": clickhouse.database}, _Bytes)
    return row.bytes


async def start_of_share(clickhouse: ClickHouse, share: float) -> int:
    """The moment (microseconds since the epoch) before which `share` (0 to 1) of all observations' traces began."""
    [row] = await clickhouse.rows(
        render("retention", "start_of_share"), {"share": share}, _Moment, settings=clickhouse.hiding
    )
    return row.moment
