"""All traces of a project as one subquery: stored aggregates, and pending traces, aggregated while reading."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.queries import render
from appliance.storage.clickhouse.traces.time_bounds import ALONE
from appliance.storage.clickhouse.where import Binder

_ALIASES: Final = {"prefer_column_name_to_alias": 1}


@dataclass(frozen=True, slots=True)
class PendingTraces:
    """Traces of a project that readers have to aggregate; times in microseconds since the epoch."""

    until: int = 0
    """Traces marked dirty after this are pending."""
    dirty_count: int = 0
    first: int | None = None
    """Start of their earliest row; None when unknown."""

    def count_started(self, binder: Binder, starts: str) -> str:
        """The SQL that counts the traces of `{project_id}` whose `trace.started` passes `starts`, led by AND."""
        pending, hashes = self._pending(binder)
        parts = self._bounded("timestamp", binder) + f" AND id IN ({pending})"
        return render("traces", "count_started", hashes=hashes, parts=parts, starts=starts)

    def all_traces(self, binder: Binder, *, observed: bool = True, part_test: str = "", rarely: bool = False) -> str:
        """The SQL of all traces of `{project_id}`, one row each; to be read with `prefer_column_name_to_alias`.

        Unless `observed`, sums of observations may be missing, which is quicker while many traces are pending. So is a
        `part_test`: then pending traces without a part that passes it may be missing. A test that is passed
        `rarely` also chooses the stored aggregates.
        """
        columns, rare = render("traces", "columns"), render("traces", "rare", part_test=part_test) if rarely else ""
        if not self.dirty_count:
            return render("traces", "stored", columns=columns, rare=rare)
        pending, hashes = self._pending(binder)
        parts, observations = self._bounded("timestamp", binder), self._bounded("start_time", binder)
        if part_test:
            # By hashes, because the index of ids would be searched for each of thousands.
            rows = f"{parts} AND {part_test} AND sipHash128(id) IN ({hashes})"
            pending = render("traces", "candidates", rows=rows)
        sums = f"{observations} AND trace_id IN ({pending})" if observed else "false"
        aggregated = aggregated_rows(f"{parts} AND id IN ({pending})", sums)
        return render("traces", "stored_and_pending", columns=columns, rare=rare, hashes=hashes, aggregated=aggregated)

    def _pending(self, binder: Binder) -> tuple[str, str]:
        """The subqueries of the ids of the traces, and of their hashes."""
        until = binder.time(self.until)
        return render("traces", "pending", until=until), render("traces", "pending_hashes", until=until)

    def _bounded(self, column: str, binder: Binder) -> str:
        since = f" AND {column} >= {binder.time(self.first)}" if self.first is not None else ""
        return f"project_id = {{project_id:String}}{since}"


def aggregated_rows(parts: str, observations: str) -> str:
    """The SQL that aggregates traces out of rows of the two tables, chosen by a condition on each."""
    merged_parts = render("traces", "merged_parts", rows=parts)
    return render(
        "traces", "aggregated", merged_parts=merged_parts, observed=render("traces", "observed", rows=observations)
    )


class DirtyTraces(msgspec.Struct):
    """What was written since the last aggregation; times in microseconds since the epoch."""

    until_micros: int
    dirty_count: int
    first_micros: int
    """The earliest row that was written; the traces may have earlier ones."""
    recent_micros: int
    """Start of about the newest 500 dirty traces; 0 when there are fewer."""

    @property
    def anywhere(self) -> PendingTraces:
        """The pending traces without the start of their earliest row, which saves a query."""
        return PendingTraces(self.until_micros, self.dirty_count)


class _Earlier(msgspec.Struct):
    first_micros: int


async def read_dirty_traces(clickhouse: ClickHouse, project_id: str) -> DirtyTraces:
    """What was written since the last aggregation. Raises QueryTooExpensive and StoreUnavailable."""
    params = {"project_id": project_id}
    [dirty] = await clickhouse.rows(render("traces", "until"), params, DirtyTraces, settings=_ALIASES | ALONE)
    return dirty


async def reach_back(clickhouse: ClickHouse, project_id: str, dirty: DirtyTraces) -> PendingTraces:
    """The pending traces with their earliest row, which may be in the stored aggregate.

    Raises QueryTooExpensive and StoreUnavailable.
    """
    if not dirty.dirty_count:
        return dirty.anywhere
    binder = Binder({"project_id": project_id})
    hashes = render("traces", "pending_hashes", until=binder.time(dirty.until_micros))
    sql = render("traces", "earlier", hashes=hashes, first=binder.time(dirty.first_micros))
    [earlier] = await clickhouse.rows(sql, binder.params, _Earlier, settings=_ALIASES)
    # The minimum of nothing is the epoch.
    firsts = [dirty.first_micros, *([earlier.first_micros] if earlier.first_micros else [])]
    return PendingTraces(dirty.until_micros, dirty.dirty_count, min(firsts))


async def read_pending_traces(clickhouse: ClickHouse, project_id: str, *, needed: bool = True) -> PendingTraces:
    """The traces that readers have to aggregate; nothing is read unless it is `needed`.

    Raises QueryTooExpensive and StoreUnavailable.
    """
    if not needed:
        return PendingTraces()
    return await reach_back(clickhouse, project_id, await read_dirty_traces(clickhouse, project_id))
