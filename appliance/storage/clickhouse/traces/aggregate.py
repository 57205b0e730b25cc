"""Folds traces that have been quiet for a while into rows of their own, for lists and metrics (docs/decisions)."""

from __future__ import annotations

from typing import Final

import msgspec

from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.queries import render
from appliance.storage.clickhouse.traces.all import folded_rows
from appliance.storage.clickhouse.where import Binder

SETTLE_S: Final = 90
"""Longer than any insert may take until it is acknowledged: what was touched before this is visible."""
SOON_S: Final = 5.0
"""Longer than it takes until rows are visible after their touch, or are touched again (`writer.TOUCHES_LAST_S`)."""
MOST_TOUCHES: Final = 20_000
"""How many touches one round takes on, which bounds its memory."""
_ALIASES: Final = {"prefer_column_name_to_alias": 1}
_TIME_SHARE: Final = 0.8
"""Of the time that answers are waited for: what takes longer shall end, and not go on unseen."""
_MICROS: Final = 1_000_000


class _State(msgspec.Struct):
    sequence: int
    until_micros: int
    """The mark of readers: what was touched up to then is folded."""
    certain_micros: int
    """Up to then nothing was folded sooner than `SETTLE_S` after its touch; 0 when that was never said."""
    now_micros: int
    is_alone: bool

    def ago_micros(self, seconds: float) -> int:
        """The moment so many seconds ago by the server's clock, in microseconds since the epoch."""
        return self.now_micros - int(seconds * _MICROS)


class _Next(msgspec.Struct):
    touches: int
    upto_micros: int


class _Bounds(msgspec.Struct):
    first_micros: int
    last_micros: int


class _Day(msgspec.Struct):
    day: str


class _Waiting(msgspec.Struct):
    touches: int


async def count_waiting(clickhouse: ClickHouse) -> int:
    """How many touches of all projects no round has settled: so many readers fold by themselves."""
    [waiting] = await clickhouse.rows(render("folding", "waiting"), {}, _Waiting, settings=_ALIASES)
    return waiting.touches


async def fold_round(
    clickhouse: ClickHouse, settle_s: float = SETTLE_S, most: int = MOST_TOUCHES, *, soon: bool = False
) -> int:
    """Fold the longest untouched traces, and return how many touches that settled; 0 when there are none.

    What was touched within `settle_s` is left to later rounds; on a server that alone has the tables, `soon` takes most
    of that, too, and the next rounds that are not soon fold it once more, while readers keep what they have.

    Whoever calls it makes sure that only one round runs at a time. A round that ends early is simply repeated: readers
    fold by themselves what no round has finished. Raises QueryTooExpensive (then do it with fewer than `most` touches)
    and StoreUnavailable.
    """
    [state] = await clickhouse.rows(render("folding", "state"), {}, _State, settings=_ALIASES)
    settled = state.ago_micros(settle_s)
    certain = state.certain_micros or max(state.until_micros - SETTLE_S * _MICROS, 0)
    if state.now_micros < state.until_micros:
        # The clock was set back, and what was touched since then lies before the mark: it is all folded again.
        await _mark(clickhouse, state.sequence + 1, settled, min(certain, settled))
        return 0
    is_soon = soon and state.is_alone
    if is_soon:
        since, horizon = state.until_micros, max(settled, state.ago_micros(SOON_S))
        certain = max(certain, min(state.until_micros, settled))
    else:
        since, horizon = certain, settled
    if horizon <= since:
        return 0
    binder = Binder({"most": most})
    sql = render("folding", "next", since=binder.time(since), horizon=binder.time(horizon))
    [chosen] = await clickhouse.rows(sql, binder.params, _Next)
    if chosen.touches:
        # A statement of a round that was given up may still run: its rows must not have the number of this round's.
        await _mark(clickhouse, state.sequence + 1, state.until_micros, certain)
        await _fold(clickhouse, state.sequence + 1, since, chosen.upto_micros)
        until = max(state.until_micros, chosen.upto_micros)
        await _mark(clickhouse, state.sequence + 2, until, certain if is_soon else chosen.upto_micros)
    return chosen.touches


async def forget_touches(clickhouse: ClickHouse) -> None:
    """Drop the touches of past days that are all folded. Raises StoreUnavailable."""
    [state] = await clickhouse.rows(render("folding", "state"), {}, _State, settings=_ALIASES)
    binder = Binder()
    sql = render("folding", "finished_days", certain=binder.time(state.certain_micros))
    for row in await clickhouse.rows(sql, binder.params, _Day):
        await clickhouse.command(render("folding", "forget_day"), {"day": row.day})


async def _fold(clickhouse: ClickHouse, sequence: int, since_micros: int, upto_micros: int) -> None:
    binder = Binder({"sequence": sequence})
    since, upto = binder.time(since_micros), binder.time(upto_micros)
    touched = render("folding", "touched", since=since, upto=upto)
    sql = render("folding", "bounds", since=since, upto=upto, touched=touched)
    [bounds] = await clickhouse.rows(sql, binder.params, _Bounds)
    first, last = binder.time(bounds.first_micros), binder.time(bounds.last_micros)
    parts = f"timestamp >= {first} AND timestamp <= {last} AND (project_id, id) IN ({touched})"
    observations = f"start_time >= {first} AND start_time <= {last} AND (project_id, trace_id) IN ({touched})"
    folded = folded_rows(parts, observations)
    columns = render("traces", "columns")
    # One thread: a core is left for those who read meanwhile.
    limit_s = int(clickhouse.settings.request_timeout_s * _TIME_SHARE)
    settings = {**_ALIASES, "max_execution_time": limit_s, "max_threads": 1}
    for sql in (
        render("folding", "fold", columns=columns, folded=folded),
        render("folding", "remove", touched=touched, first=first, last=last),
        render("folding", "remember_places", touched=touched, since=since, upto=upto, first=first, last=last),
    ):
        await clickhouse.command(sql, binder.params, settings=settings, as_given=True)


async def _mark(clickhouse: ClickHouse, sequence: int, until_micros: int, certain_micros: int) -> None:
    binder = Binder({"sequence": sequence})
    sql = render("folding", "mark", until=binder.time(until_micros), certain=binder.time(certain_micros))
    await clickhouse.command(sql, binder.params, as_given=True)
