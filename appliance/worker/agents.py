"""Decides whether the totals of agents count: what is below them may have come with another request."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

import msgspec

from appliance.ingestion.process import Batch
from appliance.model.observations import Observation
from appliance.model.own_totals import OwnTotals, Step, below, step_of
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.stored import stored_steps

_MOST_TRACES: Final = 1_000
"""Traces with agents that counted which are remembered, in case that calls come later."""

TraceKey = tuple[str, str]
"""Project id and trace id."""


class Agents:
    """Asks ClickHouse only about traces with an agent that tells totals and whose request holds nothing below it."""

    def __init__(self, clickhouse: ClickHouse) -> None:
        self._clickhouse = clickhouse
        self._counted: OrderedDict[TraceKey, dict[str, OwnTotals]] = OrderedDict()

    async def settle(self, batch: Batch) -> list[Observation]:
        """The observations of a batch, each agent as it counts, and agents written before that do so no longer.

        Raises StoreUnavailable.
        """
        told: dict[TraceKey, dict[str, OwnTotals]] = {}
        for totals in batch.totals:
            told.setdefault(_key(totals.counted), {})[totals.counted.id] = totals
        touched = {_key(row) for row in batch.observations} & self._counted.keys()
        if not told and not touched:
            return batch.observations
        rows = {(row.trace_id, row.id): row for row in batch.observations}
        for key in told.keys() | touched:
            fresh = told.get(key, {})
            earlier = {id: totals for id, totals in self._counted.get(key, {}).items() if id not in fresh}
            for row in await self._chosen(key, fresh, earlier, batch.observations):
                rows[row.trace_id, row.id] = row
            self._remember(key, earlier | fresh)
        return list(rows.values())

    async def _chosen(
        self, key: TraceKey, fresh: dict[str, OwnTotals], earlier: dict[str, OwnTotals], arrived: Iterable[Observation]
    ) -> list[Observation]:
        all_totals = earlier | fresh
        steps = {step.id: step for step in await self._stored(key, all_totals.values())}
        steps |= {row.id: step_of(row) for row in arrived if _key(row) == key}
        # Of agents within each other the inner ones count.
        steps |= {id: step_of(totals.counted) for id, totals in all_totals.items()}
        held = below(steps.values())
        newest = max((row.event_ts for row in arrived), default=0)
        again = [totals.choice(held) for totals in earlier.values() if totals.choice(held) is not totals.counted]
        again = [msgspec.structs.replace(row, event_ts=newest, updated_at=newest) for row in again]
        return [*again, *(totals.choice(held) for totals in fresh.values())]

    async def _stored(self, key: TraceKey, totals: Iterable[OwnTotals]) -> list[Step]:
        rows = [each.counted for each in totals]
        since, until = min(row.start_time for row in rows), max(row.end_time or row.start_time for row in rows)
        return await stored_steps(self._clickhouse, *key, since, until)

    def _remember(self, key: TraceKey, totals: dict[str, OwnTotals]) -> None:
        self._counted[key] = totals
        self._counted.move_to_end(key)
        while len(self._counted) > _MOST_TRACES:
            self._counted.popitem(last=False)


def _key(row: Observation) -> TraceKey:
    return row.project_id, row.trace_id
