"""All traces of a project as one subquery: the folded rows, and what was written since then, folded while reading."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.queries import render
from appliance.storage.clickhouse.where import Binder

_ALIASES: Final = {"prefer_column_name_to_alias": 1}


@dataclass(frozen=True, slots=True)
class Unsettled:
    """What of a project is not folded yet; times in microseconds since the epoch."""

    until: int = 0
    """Traces touched after this are not."""
    first: int | None = None
    """Where their earliest row may lie; None when there are none."""

    @property
    def is_settled(self) -> bool:
        """Whether all traces are folded."""
        return self.first is None

    def all_traces(self, binder: Binder, *, observed: bool = True) -> str:
        """The SQL of all traces of `{project_id}`, one row each; to be read with `prefer_column_name_to_alias`.

        Unless `observed`, what observations add up to may be missing, which is quicker while much is unsettled.
        """
        columns = render("traces", "columns")
        if self.first is None:
            return render("traces", "settled", columns=columns)
        unsettled = render("traces", "unsettled", until=binder.time(self.until))
        first = binder.time(self.first)
        parts = f"project_id = {{project_id:String}} AND timestamp >= {first} AND id IN ({unsettled})"
        observations = f"project_id = {{project_id:String}} AND start_time >= {first} AND trace_id IN ({unsettled})"
        folded = folded_rows(parts, observations if observed else "false")
        return render("traces", "settled_and_unsettled", columns=columns, unsettled=unsettled, folded=folded)


def folded_rows(parts: str, observations: str) -> str:
    """The SQL that folds traces out of rows of the two tables, chosen by a condition on each."""
    fold = render("traces", "fold", rows=parts)
    return render("traces", "folded", fold=fold, observed=render("traces", "observed", rows=observations))


class _Until(msgspec.Struct):
    until_micros: int
    touches: int
    first_micros: int


class _Earlier(msgspec.Struct):
    first_micros: int


async def read_unsettled(clickhouse: ClickHouse, project_id: str, *, needed: bool = True) -> Unsettled:
    """What readers have to fold by themselves; nothing is asked unless it is `needed`.

    Raises QueryTooExpensive and StoreUnavailable.
    """
    if not needed:
        return Unsettled()
    binder = Binder({"project_id": project_id})
    [found] = await clickhouse.rows(render("traces", "until"), binder.params, _Until, settings=_ALIASES)
    if not found.touches:
        return Unsettled(found.until_micros)
    unsettled = render("traces", "unsettled", until=binder.time(found.until_micros))
    sql = render("traces", "earlier", unsettled=unsettled, first=binder.time(found.first_micros))
    [earlier] = await clickhouse.rows(sql, binder.params, _Earlier, settings=_ALIASES)
    # The minimum of nothing is the epoch.
    firsts = [found.first_micros, *([earlier.first_micros] if earlier.first_micros else [])]
    return Unsettled(found.until_micros, min(firsts))
