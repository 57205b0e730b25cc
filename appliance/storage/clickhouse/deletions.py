"""Deleting: first out of sight, by a list that every read leaves out, then out of every table.

Rows of an object go when they were accepted before its deletion began to be carried out, as in the reference server
(contract: server semantics 7.1); what arrives for it later makes it appear again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final, Literal

import msgspec

from appliance.errors import StoreUnavailable
from appliance.model.filters import Condition
from appliance.storage.clickhouse.all_traces import read_unsettled
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.queries import render
from appliance.storage.clickhouse.trace_filters import trace_filter
from appliance.storage.clickhouse.where import Binder

Kind = Literal["trace", "session", "score", "project"]
"""Of a session, only its own scores; its traces are deleted one by one."""
Report = Callable[[str], Awaitable[None]]
Wait = Callable[[str], Awaitable[None]]
"""Called with the name of a table before its rows are deleted; returns when it is a good moment."""

_COLUMNS: Final[dict[Kind, dict[str, str]]] = {
    "trace": {
        "observations_list": "trace_id",
        "observations": "trace_id",
        "scores": "trace_id",
        "trace_parts": "id",
    },
    "session": {"scores": "session_id"},
    "score": {"scores": "id"},
    "project": {
        "observations_list": "",
        "observations": "",
        "scores": "",
        "trace_parts": "",
    },
}
"""By kind and table, which column holds the id of what is deleted."""
_AGGREGATES: Final[dict[Kind, dict[str, str]]] = {
    "trace": {"folded_traces": "id", "touched_traces": "trace_id"},
    "project": {"folded_traces": "", "touched_traces": ""},
}
TABLES: Final = (*_COLUMNS["trace"], *_AGGREGATES["trace"])
"""All tables that rows are deleted from."""
_WAIT_S: Final = 0.3
_ALIASES: Final = {"prefer_column_name_to_alias": 1}
# Each replica of a cluster evaluates the subquery for itself, on rows that all of them have.
_MUTATION: Final = {"mutations_sync": 0, "lightweight_deletes_sync": 0, "allow_nondeterministic_mutations": 1}
_WAIT_FOR_IT: Final = {"mutations_sync": 1, "allow_nondeterministic_mutations": 1}


class Deletion(msgspec.Struct):
    """Objects of one kind that were deleted at one moment."""

    kind: Kind
    moment: int
    """Microseconds since the epoch."""
    objects: int


class ObjectKey(msgspec.Struct):
    """What one of the objects is called."""

    project_id: str
    id: str


class PatchedObject(ObjectKey):
    """An observation or a score whose updates may still be kept."""

    kind: Literal["observation", "score"]


class _Deleted(msgspec.Struct):
    project_id: str
    kind: str
    id: str
    deleted_at: int


class _Unfinished(msgspec.Struct):
    parts: int
    mutations: int
    failure: str


async def hide(clickhouse: ClickHouse, kind: Kind, project_id: str, ids: Sequence[str], moment: int) -> None:
    """From `moment` (microseconds since the epoch) on, no read shows these objects; raises StoreUnavailable."""
    rows = [_Deleted(project_id, kind, id, moment) for id in ids]
    await clickhouse.insert("deletions", msgspec.json.Encoder().encode_lines(rows))


async def hide_traces(
    clickhouse: ClickHouse, project_id: str, conditions: Sequence[Condition], most: int, moment: int
) -> None:
    """The same for up to `most` traces that fulfil all conditions; raises InvalidRequest and QueryTooExpensive, too."""
    binder = Binder()
    filter = trace_filter(conditions, binder)
    binder.params |= {"project_id": project_id, "most": most}
    pending_aggregation = await read_unsettled(clickhouse, project_id)
    sql = render(
        "deletions",
        "hide_matching",
        all=pending_aggregation.all_traces(binder),
        joins=filter.joins(),
        where=filter.where,
        moment=binder.time(moment),
    )
    await clickhouse.command(sql, binder.params, settings={**_ALIASES, **clickhouse.hiding})


async def hide_old_scores(clickhouse: ClickHouse, project_id: str, before: int, most: int, moment: int) -> None:
    """The same for up to `most` scores without a trace from before a moment (microseconds since the epoch)."""
    binder = Binder({"project_id": project_id, "most": most})
    sql = render("deletions", "hide_old_scores", moment=binder.time(moment), before=binder.time(before))
    await clickhouse.command(sql, binder.params, settings=clickhouse.hiding)


async def pending(clickhouse: ClickHouse) -> list[Deletion]:
    """What is hidden and not yet deleted; raises StoreUnavailable."""
    return await clickhouse.rows(render("deletions", "pending"), {}, Deletion)


async def object_keys(clickhouse: ClickHouse, kind: Kind, upto: int, most: int) -> AsyncIterator[list[ObjectKey]]:
    """The hidden objects of a kind, up to `most` at a time; raises StoreUnavailable."""
    last = ObjectKey("", "")
    while True:
        binder = Binder({"kind": kind, "after_project": last.project_id, "after_id": last.id, "most": most})
        sql = render("deletions", "ids", upto=binder.time(upto))
        if not (found := await clickhouse.rows(sql, binder.params, ObjectKey)):
            return
        yield found
        last = found[-1]


async def patched_objects(clickhouse: ClickHouse, kind: Kind, upto: int, since: int) -> list[PatchedObject]:
    """The observations and scores that go with the hidden objects and were updated after `since`."""
    if kind == "project":
        return []  # nobody can update them any more
    binder = Binder()
    tables = _COLUMNS[kind]
    sql = render(
        "deletions",
        "patched",
        observations=_among(kind, tables["observations"], upto, binder) if "observations" in tables else "false",
        scores=_among(kind, tables["scores"], upto, binder),
        since=binder.time(since),
    )
    return await clickhouse.rows(sql, binder.params, PatchedObject)


async def delete_rows(clickhouse: ClickHouse, kind: Kind, upto: int, report: Report, wait: Wait) -> None:
    """Delete all rows of the hidden objects that were accepted up to a moment; raises StoreUnavailable."""
    for table, column in _COLUMNS[kind].items():
        await wait(table)
        binder = Binder()
        rows = _among(kind, column, upto, binder)
        if kind != "project":
            rows += f" AND event_ts <= {binder.time(upto)}"
        await _delete(clickhouse, table, rows, binder, report)


async def delete_aggregates(clickhouse: ClickHouse, kind: Kind, upto: int, report: Report) -> None:
    """Delete what was aggregated of them; nothing may be aggregated meanwhile. Raises StoreUnavailable."""
    for table, column in _AGGREGATES.get(kind, {}).items():
        binder = Binder()
        await _delete(clickhouse, table, _among(kind, column, upto, binder), binder, report)
    if kind == "trace":
        binder = Binder()
        await clickhouse.command(render("deletions", "touch", rows=_among(kind, "id", upto, binder)), binder.params)


async def forget(clickhouse: ClickHouse, kind: Kind, upto: int) -> None:
    """Stop hiding what was deleted up to a moment; raises StoreUnavailable."""
    binder = Binder({"kind": kind})
    sql = render("deletions", "forget", upto=binder.time(upto))
    await clickhouse.command(sql, binder.params, settings=_WAIT_FOR_IT)


async def reclaim(clickhouse: ClickHouse, table: str, report: Report) -> None:
    """Give back the disk space of a table's deleted rows; raises StoreUnavailable."""
    await clickhouse.command(render("deletions", "reclaim", table=table), settings=_MUTATION)
    await _finished(clickhouse, table, report)


async def _delete(clickhouse: ClickHouse, table: str, rows: str, binder: Binder, report: Report) -> None:
    sql = render("deletions", "delete_rows", table=table, rows=rows)
    await clickhouse.command(sql, binder.params, settings=_MUTATION)
    await _finished(clickhouse, table, report)


async def _finished(clickhouse: ClickHouse, table: str, report: Report) -> None:
    """Wait until the deletions of a table are done."""
    stored = clickhouse.stored_name(table)
    while True:
        [left] = await clickhouse.rows(render("deletions", "unfinished"), {"table": stored}, _Unfinished)
        if not left.mutations:
            return
        if left.failure:
            raise StoreUnavailable(f"ClickHouse cannot delete rows of {table}: {left.failure}", store="ClickHouse")
        await report(f"{table}: {left.parts:,} parts left")
        await asyncio.sleep(_WAIT_S)


def _among(kind: Kind, column: str, upto: int, binder: Binder) -> str:
    """The condition that a row belongs to a hidden object."""
    columns = "project_id, id" if column else "id"
    chosen = render("deletions", "deleted", columns=columns, kind=kind, upto=binder.time(upto))
    return f"(project_id, {column}) IN {chosen}" if column else f"project_id IN {chosen}"
