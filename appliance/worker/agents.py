"""Decides whether the totals of agents count, as the calls below them may have come with another request."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from appliance.ingestion.process import Batch
from appliance.model.observations import Observation
from appliance.model.own_totals import OwnTotals, below, step_of
from appliance.worker.contract import StoredRows

_MOST_TRACES: Final = 1_000
"""Traces remembered because an agent's totals counted, in case its calls come later."""
_MOST_CHARS: Final = 32_000_000
"""Characters of the texts of these agents together."""

TraceKey = tuple[str, str]
"""Project id and trace id."""
_ById = Mapping[str, OwnTotals]


class Agents:
    """Queries ClickHouse only for traces with an agent that has totals, and whose request holds no calls below it."""

    def __init__(self, stored: StoredRows, most_chars: int = _MOST_CHARS) -> None:
        self._stored = stored
        self._most_chars = most_chars
        self._counted: OrderedDict[TraceKey, _ById] = OrderedDict()
        self._chars = 0

    async def decide(self, batch: Batch) -> list[Observation]:
        """The observations of a batch with each agent as it counts, and earlier agents that no longer do.

        Raises StoreUnavailable.
        """
        fresh: dict[TraceKey, dict[str, OwnTotals]] = {}
        for each in batch.totals:
            fresh.setdefault(_key(each.counted), {})[each.counted.id] = each
        touched = {_key(row) for row in batch.observations} & self._counted.keys()
        if not fresh and not touched:
            return batch.observations
        totals = {key: {**self._counted.get(key, {}), **fresh.get(key, {})} for key in fresh.keys() | touched}
        rows: dict[TraceKey, list[Observation]] = {key: [] for key in totals}
        for row in batch.observations:
            if (of_trace := rows.get(_key(row))) is not None:
                of_trace.append(row)
        chosen = await self._choose(totals, rows)
        newest = max((row.event_ts for row in batch.observations), default=0)
        again = [
            _replacing(known[id].counted, chosen[key][id], newest)
            for key, known in totals.items()
            for id in known.keys() - fresh.get(key, {}).keys()
            if chosen[key][id] is not known[id].counted
        ]
        for key, known in totals.items():
            # A batch may be decided again when it could not be written, so those of earlier batches stay.
            earlier = self._counted.get(key, {}).keys()
            self._remember(key, {id: each for id, each in known.items() if id in earlier or _counts(each, chosen[key])})
        decided = {(key, id): chosen[key][id] for key, new in fresh.items() for id in new}
        return [*again, *(decided.get((_key(row), row.id), row) for row in batch.observations)]

    async def _choose(
        self, totals: Mapping[TraceKey, _ById], rows: Mapping[TraceKey, list[Observation]]
    ) -> dict[TraceKey, dict[str, Observation]]:
        """How each agent counts, by the stored and the new observations of its trace."""
        stored = await self._stored.steps({key: _times(each.values()) for key, each in totals.items()})
        chosen: dict[TraceKey, dict[str, Observation]] = {}
        for key, each in totals.items():
            steps = {step.id: step for step in stored.get(key, ())}
            steps |= {row.id: step_of(row) for row in rows[key]}
            # Of nested agents the inner ones count.
            steps |= {id: step_of(own.counted) for id, own in each.items()}
            held = below(steps.values())
            chosen[key] = {id: own.choice(held) for id, own in each.items()}
        return chosen

    def _remember(self, key: TraceKey, totals: _ById) -> None:
        self._chars -= _chars_of(self._counted.pop(key, {}))
        if totals:
            self._counted[key] = totals
            self._chars += _chars_of(totals)
        while self._counted and (len(self._counted) > _MOST_TRACES or self._chars > self._most_chars):
            _, oldest = self._counted.popitem(last=False)
            self._chars -= _chars_of(oldest)


def _key(row: Observation) -> TraceKey:
    return row.project_id, row.trace_id


def _counts(totals: OwnTotals, chosen: Mapping[str, Observation]) -> bool:
    return chosen[totals.counted.id] is not totals.set_aside


def _replacing(written: Observation, row: Observation, at: int) -> Observation:
    """The row as a newer version of a written one, also when the new entry was accepted earlier."""
    version = max(at, written.event_ts + 1)
    return msgspec.structs.replace(row, event_ts=version, updated_at=version)


def _times(totals: Iterable[OwnTotals]) -> tuple[int, int]:
    """When the first of the agents began and the last one ended, in microseconds since the epoch."""
    rows = [each.counted for each in totals]
    return min(row.start_time for row in rows), max(row.end_time or row.start_time for row in rows)


def _chars_of(totals: _ById) -> int:
    rows = [row for each in totals.values() for row in (each.counted, each.only_cost, each.set_aside)]
    return sum(len(row.input) + len(row.output) + sum(map(len, row.metadata.values())) for row in rows)
