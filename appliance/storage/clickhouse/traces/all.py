"""All traces of a project as one subquery: the folded rows, and what was written since then, folded while reading."""

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
class Unsettled:
    """What of a project is not folded yet; times in microseconds since the epoch."""

    until: int = 0
    """Traces touched after this are not."""
    touches: int = 0
    first: int | None = None
    """Where their earliest row may lie; None when that is not known."""

    @property
    def is_settled(self) -> bool:
        """Whether all traces are folded."""
        return not self.touches

    def count_started(self, binder: Binder, starts: str) -> str:
        """The SQL that counts the traces of `{project_id}` whose `trace.started` passes `starts`, led by AND."""
        unsettled, hashes = self._unsettled(binder)
        parts = self._bounded("timestamp", binder) + f" AND id IN ({unsettled})"
        return render("traces", "count_started", hashes=hashes, parts=parts, starts=starts)

    def all_traces(self, binder: Binder, *, observed: bool = True, said: str = "", rarely: bool = False) -> str:
        """The SQL of all traces of `{project_id}`, one row each; to be read with `prefer_column_name_to_alias`.

        Unless `observed`, what observations add up to may be missing, which is quicker while much is unsettled. So is a
        test `said` of parts: then unsettled traces without a part that passes it may be missing. One that is passed
        `rarely` also chooses the folded rows.
        """
        columns, rare = render("traces", "columns"), render("traces", "rare", said=said) if rarely else ""
        if self.is_settled:
            return render("traces", "settled", columns=columns, rare=rare)
        unsettled, hashes = self._unsettled(binder)
        parts, observations = self._bounded("timestamp", binder), self._bounded("start_time", binder)
        if said:
            # By their hashes: an index of ids would be asked for each of thousands.
            rows = f"{parts} AND {said} AND sipHash128(id) IN ({hashes})"
            unsettled = render("traces", "candidates", rows=rows)
        sums = f"{observations} AND trace_id IN ({unsettled})" if observed else "false"
        folded = folded_rows(f"{parts} AND id IN ({unsettled})", sums)
        return render("traces", "settled_and_unsettled", columns=columns, rare=rare, hashes=hashes, folded=folded)

    def _unsettled(self, binder: Binder) -> tuple[str, str]:
        """The subqueries of the ids of the traces, and of their hashes."""
        until = binder.time(self.until)
        return render("traces", "unsettled", until=until), render("traces", "unsettled_hashes", until=until)

    def _bounded(self, column: str, binder: Binder) -> str:
        since = f" AND {column} >= {binder.time(self.first)}" if self.first is not None else ""
        return f"project_id = {{project_id:String}}{since}"


def folded_rows(parts: str, observations: str) -> str:
    """The SQL that folds traces out of rows of the two tables, chosen by a condition on each."""
    fold = render("traces", "fold", rows=parts)
    return render("traces", "folded", fold=fold, observed=render("traces", "observed", rows=observations))


class Touched(msgspec.Struct):
    """What was written to since all was folded; times in microseconds since the epoch."""

    until_micros: int
    touches: int
    first_micros: int
    """The earliest row that was written; the traces may have earlier ones."""
    recent_micros: int
    """About this is where the newest 500 of what was written begins; 0 when less was."""

    @property
    def anywhere(self) -> Unsettled:
        """The same without knowing where the traces begin, which saves the question."""
        return Unsettled(self.until_micros, self.touches)


class _Earlier(msgspec.Struct):
    first_micros: int


async def read_touched(clickhouse: ClickHouse, project_id: str) -> Touched:
    """What is not folded yet. Raises QueryTooExpensive and StoreUnavailable."""
    params = {"project_id": project_id}
    [found] = await clickhouse.rows(render("traces", "until"), params, Touched, settings=_ALIASES | ALONE)
    return found


async def reach_back(clickhouse: ClickHouse, project_id: str, touched: Touched) -> Unsettled:
    """Where the traces that were touched begin, too, when parts of them are folded already.

    Raises QueryTooExpensive and StoreUnavailable.
    """
    if not touched.touches:
        return touched.anywhere
    binder = Binder({"project_id": project_id})
    hashes = render("traces", "unsettled_hashes", until=binder.time(touched.until_micros))
    sql = render("traces", "earlier", hashes=hashes, first=binder.time(touched.first_micros))
    [earlier] = await clickhouse.rows(sql, binder.params, _Earlier, settings=_ALIASES)
    # The minimum of nothing is the epoch.
    firsts = [touched.first_micros, *([earlier.first_micros] if earlier.first_micros else [])]
    return Unsettled(touched.until_micros, touched.touches, min(firsts))


async def read_unsettled(clickhouse: ClickHouse, project_id: str, *, needed: bool = True) -> Unsettled:
    """What readers have to fold by themselves; nothing is asked unless it is `needed`.

    Raises QueryTooExpensive and StoreUnavailable.
    """
    if not needed:
        return Unsettled()
    return await reach_back(clickhouse, project_id, await read_touched(clickhouse, project_id))
