"""Aggregates traces that have been quiet for a while, one row each, for lists and metrics (docs/decisions/0004)."""

from __future__ import annotations

from typing import Final

import msgspec

from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.queries import render
from appliance.storage.clickhouse.traces.all import aggregated_rows
from appliance.storage.clickhouse.where import Binder

QUIET_FOR_S: Final = 90
"""Longer than an insert may take until it is acknowledged: the rows of traces marked before this are visible."""
SOON_S: Final = 5.0
"""Longer than rows take to become visible after their trace was marked, or is marked again (`writer.DIRTY_FOR_S`)."""
MOST_DIRTY: Final = 20_000
"""How many rows of `touched_traces` one round takes, which bounds its memory."""
_ALIASES: Final = {"prefer_column_name_to_alias": 1}
_TIME_SHARE: Final = 0.8
"""Share of the request timeout after which a statement ends: it must not go on once nobody waits for it."""
_MICROS: Final = 1_000_000


class _State(msgspec.Struct):
    sequence: int
    until_micros: int
    """Traces marked dirty up to then are aggregated; readers aggregate the later ones."""
    certain_micros: int
    """Up to then no trace was aggregated sooner than `QUIET_FOR_S` after it was marked; 0 when unknown."""
    now_micros: int
    is_alone: bool

    def ago_micros(self, seconds: float) -> int:
        """The moment `seconds` ago by the server's clock, in microseconds since the epoch."""
        return self.now_micros - int(seconds * _MICROS)


class _Next(msgspec.Struct):
    dirty_count: int
    upto_micros: int


class _Bounds(msgspec.Struct):
    first_micros: int
    last_micros: int


class _Day(msgspec.Struct):
    day: str


class _Pending(msgspec.Struct):
    dirty_count: int


async def count_pending(clickhouse: ClickHouse) -> int:
    """How many rows of `touched_traces` no round has taken yet, in all projects; readers aggregate these traces."""
    [waiting] = await clickhouse.rows(render("aggregate", "pending"), {}, _Pending, settings=_ALIASES)
    return waiting.dirty_count


async def aggregate_round(
    clickhouse: ClickHouse, quiet_s: float = QUIET_FOR_S, most: int = MOST_DIRTY, *, soon: bool = False
) -> int:
    """Aggregate the traces that have been quiet longest; returns how many rows of `touched_traces` were taken.

    Traces marked within `quiet_s` are left to later rounds. On a single server, `soon` takes most of them, too; the
    next rounds that are not `soon` aggregate them once more, while readers keep what they have.

    The caller makes sure that only one round runs at a time. A round that ends early is simply repeated: readers
    aggregate on every read what no round has finished. Raises QueryTooExpensive (then call it again with a smaller
    `most`) and StoreUnavailable.
    """
    [state] = await clickhouse.rows(render("aggregate", "state"), {}, _State, settings=_ALIASES)
    visible = state.ago_micros(quiet_s)
    certain = state.certain_micros or max(state.until_micros - QUIET_FOR_S * _MICROS, 0)
    if state.now_micros < state.until_micros:
        # The clock was set back, and traces marked since then lie before the mark: they are all aggregated again.
        await _mark(clickhouse, state.sequence + 1, visible, min(certain, visible))
        return 0
    is_soon = soon and state.is_alone
    if is_soon:
        since, horizon = state.until_micros, max(visible, state.ago_micros(SOON_S))
        certain = max(certain, min(state.until_micros, visible))
    else:
        since, horizon = certain, visible
    if horizon <= since:
        return 0
    binder = Binder({"most": most})
    sql = render("aggregate", "next", since=binder.time(since), horizon=binder.time(horizon))
    [chosen] = await clickhouse.rows(sql, binder.params, _Next)
    if chosen.dirty_count:
        # A statement of an abandoned round may still run: its rows must not have the sequence of this round.
        await _mark(clickhouse, state.sequence + 1, state.until_micros, certain)
        await _aggregate(clickhouse, state.sequence + 1, since, chosen.upto_micros)
        until = max(state.until_micros, chosen.upto_micros)
        await _mark(clickhouse, state.sequence + 2, until, certain if is_soon else chosen.upto_micros)
    return chosen.dirty_count


async def forget_dirty_traces(clickhouse: ClickHouse) -> None:
    """Drop the rows of `touched_traces` of past days that are all aggregated. Raises StoreUnavailable."""
    [state] = await clickhouse.rows(render("aggregate", "state"), {}, _State, settings=_ALIASES)
    binder = Binder()
    sql = render("aggregate", "finished_days", certain=binder.time(state.certain_micros))
    for row in await clickhouse.rows(sql, binder.params, _Day):
        await clickhouse.command(render("aggregate", "forget_day"), {"day": row.day})


async def _aggregate(clickhouse: ClickHouse, sequence: int, since_micros: int, upto_micros: int) -> None:
    binder = Binder({"sequence": sequence})
    since, upto = binder.time(since_micros), binder.time(upto_micros)
    dirty = render("aggregate", "dirty", since=since, upto=upto)
    sql = render("aggregate", "bounds", since=since, upto=upto, dirty=dirty)
    [bounds] = await clickhouse.rows(sql, binder.params, _Bounds)
    first, last = binder.time(bounds.first_micros), binder.time(bounds.last_micros)
    parts = f"timestamp >= {first} AND timestamp <= {last} AND (project_id, id) IN ({dirty})"
    observations = f"start_time >= {first} AND start_time <= {last} AND (project_id, trace_id) IN ({dirty})"
    aggregated = aggregated_rows(parts, observations)
    columns = render("traces", "columns")
    # One thread, to leave the other cores to reads.
    limit_s = int(clickhouse.settings.request_timeout_s * _TIME_SHARE)
    settings = {**_ALIASES, "max_execution_time": limit_s, "max_threads": 1}
    for sql in (
        render("aggregate", "aggregate", columns=columns, aggregated=aggregated),
        render("aggregate", "remove", dirty=dirty, first=first, last=last),
        render("aggregate", "remember_places", dirty=dirty, since=since, upto=upto, first=first, last=last),
    ):
        await clickhouse.command(sql, binder.params, settings=settings, as_given=True)


async def _mark(clickhouse: ClickHouse, sequence: int, until_micros: int, certain_micros: int) -> None:
    binder = Binder({"sequence": sequence})
    sql = render("aggregate", "mark", until=binder.time(until_micros), certain=binder.time(certain_micros))
    await clickhouse.command(sql, binder.params, as_given=True)
