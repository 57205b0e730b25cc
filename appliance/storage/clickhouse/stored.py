"""The stored rows of single entities, read before a partial update replaces them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from appliance.model.observations import Observation
from appliance.model.own_totals import NestedStep
from appliance.model.scores import Score
from appliance.model.times import LATEST
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.observations import row_of
from appliance.storage.clickhouse.queries import render

RowKey = tuple[str, str]
"""Project id and entity id."""

_IDS_PER_QUERY = 1000
_MARGIN_US = 3_600_000_000
"""Tolerated difference between the clocks of the processes of one trace, in microseconds."""
_ALIASES = {"prefer_column_name_to_alias": 1}
_Row = TypeVar("_Row", Observation, Score)


class Stored:
    """Reads stored rows. Every method raises StoreUnavailable."""

    def __init__(self, clickhouse: ClickHouse) -> None:
        self._clickhouse = clickhouse

    async def observations(self, wanted: Mapping[RowKey, int | None]) -> dict[RowKey, Observation]:
        """The newest rows by project and id, where there are any.

        `wanted` holds for each the earliest time that it can have begun (microseconds), or None. Without that bound the
        whole table is read: an index by id does not help when many ids are looked up.
        """
        sql = render("stored", "observations", row=row_of())
        bounds = [since for since in wanted.values() if since is not None]
        bounded = [key for key, since in wanted.items() if since is not None]
        others = [key for key, since in wanted.items() if since is None]
        rows = await self._rows(sql, bounded, Observation, {"since": min(bounds, default=0)})
        return rows | await self._rows(sql, others, Observation, {"since": 0})

    async def scores(self, keys: Iterable[RowKey]) -> dict[RowKey, Score]:
        """As `observations`, for scores."""
        return await self._rows(render("stored", "scores"), keys, Score, {})

    async def steps(self, wanted: Mapping[RowKey, tuple[int, int]]) -> dict[RowKey, list[NestedStep]]:
        """The observations of traces, by project and trace id.

        `wanted` holds for each trace the range of starts, in microseconds; the answer may hold some observations
        outside it.
        """
        by_trace: dict[RowKey, list[NestedStep]] = {}
        for project_id, trace_ids in _by_project(wanted):
            bounds = [wanted[project_id, id] for id in trace_ids]
            params = {
                "project_id": project_id,
                "trace_ids": trace_ids,
                "since": max(min(since for since, _ in bounds) - _MARGIN_US, 0),
                "until": min(max(until for _, until in bounds) + _MARGIN_US, LATEST),
            }
            for step in await self._clickhouse.rows(render("stored", "steps"), params, NestedStep):
                by_trace.setdefault((project_id, step.trace_id), []).append(step)
        return by_trace

    async def _rows(
        self, sql: str, keys: Iterable[RowKey], row_type: type[_Row], bounds: Mapping[str, int]
    ) -> dict[RowKey, _Row]:
        by_key: dict[RowKey, _Row] = {}
        for project_id, ids in _by_project(keys):
            params = {"project_id": project_id, "ids": ids, **bounds}
            for row in await self._clickhouse.rows(sql, params, row_type, settings=_ALIASES):
                by_key[row.project_id, row.id] = row
        return by_key


def _by_project(keys: Iterable[RowKey]) -> Iterator[tuple[str, list[str]]]:
    """Each project with its ids in chunks."""
    by_project: dict[str, list[str]] = {}
    for project_id, id in keys:
        by_project.setdefault(project_id, []).append(id)
    for project_id, ids in by_project.items():
        for first in range(0, len(ids), _IDS_PER_QUERY):
            yield project_id, ids[first : first + _IDS_PER_QUERY]
