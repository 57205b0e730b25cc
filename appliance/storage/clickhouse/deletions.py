"""Deleting: objects are first hidden, by a list that every read leaves out, and then deleted from every table.

Rows of an object are deleted when they were accepted before the purge began, as in the reference server (contract:
server semantics 7.1); rows that arrive later make the object appear again. The objects of one deletion share its
moment, in microseconds since the epoch.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from itertools import groupby
from typing import Final, Literal

import msgspec

from appliance.errors import StoreUnavailable
from appliance.model.filters import Condition
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.queries import render
from appliance.storage.clickhouse.traces.all import read_pending_traces
from appliance.storage.clickhouse.traces.filters import trace_filter
from appliance.storage.clickhouse.where import Binder

ObjectKind = Literal["trace", "session", "dataset_run", "score", "project"]
"""A session or a dataset run stands for its own scores only; the traces of a session are deleted one by one."""
Report = Callable[[str], Awaitable[None]]
Wait = Callable[[str], Awaitable[None]]
"""Called with the name of a table before its rows are deleted; returns when the load allows it."""

_COMPLETE: Final = "complete"
_COLUMNS: Final[Mapping[ObjectKind, Mapping[str, str]]] = {
    "trace": {
        "observations_list": "trace_id",
        "observations": "trace_id",
        "scores": "trace_id",
        "trace_parts": "id",
    },
    "session": {"scores": "session_id"},
    "dataset_run": {"scores": "dataset_run_id"},
    "score": {"scores": "id"},
    "project": {"observations_list": "", "observations": "", "scores": "", "trace_parts": ""},
}
"""The column with the object's id, by kind and table."""
_AGGREGATES: Final[Mapping[ObjectKind, Mapping[str, str]]] = {
    "trace": {"folded_traces": "id", "touched_traces": "trace_id"},
    "project": {"folded_traces": "", "touched_traces": ""},
}
TABLES: Final = (*_COLUMNS["trace"], *_AGGREGATES["trace"])
"""All tables that rows are deleted from."""
_WAIT_S: Final = 0.3
_ALIASES: Final = {"prefer_column_name_to_alias": 1}
# Each replica of a cluster evaluates the subquery for itself, on rows that all of them have.
_MUTATION: Final = {"mutations_sync": 0, "lightweight_deletes_sync": 0, "allow_nondeterministic_mutations": 1}
_WAIT_FOR_IT: Final = {"mutations_sync": 2, "allow_nondeterministic_mutations": 1}


class Deletion(msgspec.Struct):
    """The objects deleted by one request."""

    moment: int
    is_complete: bool
    """Whether all objects are listed; until then more may follow."""
    counts: dict[str, int]
    """Objects by kind, and the row that marks the list as complete."""

    @property
    def kinds(self) -> dict[ObjectKind, int]:
        """Number of objects by kind."""
        return {kind: self.counts[kind] for kind in _COLUMNS if kind in self.counts}


class ObjectKey(msgspec.Struct):
    """The key of one object."""

    project_id: str
    id: str


class _Patched(msgspec.Struct):
    kind: Literal["observation", "score"]
    id: str


class _Deleted(msgspec.Struct):
    project_id: str
    kind: str
    id: str
    deleted_at: int


class _Unfinished(msgspec.Struct):
    parts: int
    mutations: int
    failure: str


class _Rows(msgspec.Struct):
    rows: int


async def hide(clickhouse: ClickHouse, kind: ObjectKind, project_id: str, ids: Sequence[str], moment: int) -> None:
    """Hide these objects from all reads; raises StoreUnavailable."""
    await _list(clickhouse, [_Deleted(project_id, kind, id, moment) for id in ids])


async def complete(clickhouse: ClickHouse, moment: int) -> None:
    """Mark the list of this moment as complete, so that it may be purged. Raises StoreUnavailable."""
    await _list(clickhouse, [_Deleted("", _COMPLETE, str(moment), moment)])


async def hide_traces(
    clickhouse: ClickHouse, project_id: str, conditions: Sequence[Condition], most: int, moment: int
) -> None:
    """Hide the oldest traces that fulfil all conditions, at most `most`.

    Raises InvalidRequest and QueryTooExpensive, too.
    """
    binder = Binder()
    filter = trace_filter(conditions, binder)
    binder.params |= {"project_id": project_id, "most": most}
    pending_aggregation = await read_pending_traces(clickhouse, project_id)
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
    """Hide at most `most` scores without a trace from before a time (microseconds since the epoch)."""
    binder = Binder({"project_id": project_id, "most": most})
    sql = render("deletions", "hide_old_scores", moment=binder.time(moment), before=binder.time(before))
    await clickhouse.command(sql, binder.params, settings=clickhouse.hiding)


async def pending(clickhouse: ClickHouse) -> list[Deletion]:
    """The deletions that are hidden and not yet purged, oldest first; raises StoreUnavailable."""
    return await clickhouse.rows(render("deletions", "pending"), {}, Deletion, settings=_ALIASES)


async def is_listed(clickhouse: ClickHouse, kind: ObjectKind, project_id: str, id: str) -> bool:
    """Whether an object is hidden and not yet deleted; raises StoreUnavailable."""
    params = {"kind": kind, "project_id": project_id, "id": id}
    [listed] = await clickhouse.rows(render("deletions", "listed"), params, _Rows)
    return listed.rows > 0


async def object_keys(
    clickhouse: ClickHouse, kind: ObjectKind, moments: Collection[int], most: int
) -> AsyncIterator[list[ObjectKey]]:
    """The objects of a kind that were deleted at these moments, up to `most` at a time; raises StoreUnavailable."""
    last = ObjectKey("", "")
    while True:
        binder = Binder({"kind": kind, "after_project": last.project_id, "after_id": last.id, "most": most})
        sql = render("deletions", "ids", at=_at(moments, binder))
        if not (keys := await clickhouse.rows(sql, binder.params, ObjectKey)):
            return
        yield keys
        last = keys[-1]


async def patched_objects(
    clickhouse: ClickHouse, kind: ObjectKind, moments: Collection[int], since: int, most: int
) -> AsyncIterator[list[tuple[str, str, str]]]:
    """The observations and scores that go with the objects and were updated after `since` (microseconds).

    As project, `observation` or `score`, and id; those of up to `most` objects at a time.
    """
    if kind == "project":
        return  # objects of deleted projects get no updates
    binder = Binder()
    sql = render("deletions", "updated_since", since=binder.time(since))
    if not (await clickhouse.rows(sql, binder.params, _Rows))[0].rows:
        return
    async for keys in object_keys(clickhouse, kind, moments, most):
        for project_id, group in groupby(keys, key=lambda key: key.project_id):
            binder = Binder({"project_id": project_id, "ids": [key.id for key in group]})
            columns = _COLUMNS[kind]
            among = {table: f"{column} IN {{ids:Array(String)}}" for table, column in columns.items()}
            sql = render(
                "deletions",
                "patched",
                observations=among.get("observations", "false"),
                scores=among["scores"],
                since=binder.time(since),
            )
            yield [(project_id, row.kind, row.id) for row in await clickhouse.rows(sql, binder.params, _Patched)]


async def delete_rows(
    clickhouse: ClickHouse,
    kind: ObjectKind,
    moments: Collection[int],
    upto: Mapping[str, int],
    report: Report,
    wait: Wait,
) -> None:
    """Delete the rows of the objects whose version is at most the one in `upto` for their table.

    Raises StoreUnavailable.
    """
    for table, column in _COLUMNS[kind].items():
        await wait(table)
        binder = Binder()
        rows = f"{_among(kind, column, moments, binder)} AND event_ts <= {binder.time(upto[table])}"
        await _delete(clickhouse, table, rows, binder, report)


async def delete_aggregates(
    clickhouse: ClickHouse, kind: ObjectKind, moments: Collection[int], upto: int, report: Report
) -> None:
    """Delete their aggregates; the caller stops aggregation meanwhile. Raises StoreUnavailable."""
    for table, column in _AGGREGATES.get(kind, {}).items():
        binder = Binder()
        rows = _among(kind, column, moments, binder)
        if table == "touched_traces":
            rows += f" AND touched_at <= {binder.time(upto)}"
        await _delete(clickhouse, table, rows, binder, report)
    if kind in _AGGREGATES:
        binder = Binder()
        rows = _among(kind, _COLUMNS[kind]["trace_parts"], moments, binder)
        await clickhouse.command(render("deletions", "mark_dirty", rows=rows), binder.params)


async def forget(clickhouse: ClickHouse, moments: Collection[int]) -> None:
    """Remove purged deletions from the list; raises StoreUnavailable."""
    binder = Binder()
    await clickhouse.command(
        render("deletions", "forget", at=_at(moments, binder)), binder.params, settings=_WAIT_FOR_IT
    )


async def reclaim(clickhouse: ClickHouse, table: str, report: Report) -> None:
    """Reclaim the disk space of a table's deleted rows; raises StoreUnavailable."""
    await clickhouse.command(render("deletions", "reclaim", table=table), settings=_MUTATION)
    await _finished(clickhouse, table, report)


async def _list(clickhouse: ClickHouse, rows: Sequence[_Deleted]) -> None:
    if rows:
        await clickhouse.insert("deletions", msgspec.json.Encoder().encode_lines(rows))


async def _delete(clickhouse: ClickHouse, table: str, rows: str, binder: Binder, report: Report) -> None:
    sql = render("deletions", "delete_rows", table=table, rows=rows)
    await clickhouse.command(sql, binder.params, settings=_MUTATION)
    await _finished(clickhouse, table, report)


async def _finished(clickhouse: ClickHouse, table: str, report: Report) -> None:
    """Wait until the deletions of a table are done on all servers."""
    params = {"database": clickhouse.database, "table": clickhouse.stored_name(table)}
    sql = render("deletions", "unfinished", mutations=clickhouse.everywhere("system.mutations"))
    while True:
        [left] = await clickhouse.rows(sql, params, _Unfinished)
        if not left.mutations:
            return
        if left.failure:
            raise StoreUnavailable(f"ClickHouse cannot delete rows of {table}: {left.failure}", store="ClickHouse")
        await report(f"{table}: {left.parts:,} parts left")
        await asyncio.sleep(_WAIT_S)


def _among(kind: ObjectKind, column: str, moments: Collection[int], binder: Binder) -> str:
    """The condition that a row belongs to one of the objects."""
    columns = "project_id, id" if column else "id"
    chosen = render("deletions", "deleted", columns=columns, kind=kind, at=_at(moments, binder))
    return f"(project_id, {column}) IN {chosen}" if column else f"project_id IN {chosen}"


def _at(moments: Collection[int], binder: Binder) -> str:
    """The condition that a row of the list is of one of these moments."""
    return f"toUnixTimestamp64Micro(deleted_at) IN {binder.bind(sorted(moments), 'Array(Int64)')}"
