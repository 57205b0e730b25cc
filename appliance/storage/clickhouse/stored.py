"""What is stored of single entities, read before a partial update replaces their rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import TypeVar

from appliance.model.observations import Observation
from appliance.model.own_totals import Step
from appliance.model.scores import Score
from appliance.model.times import LATEST
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.observations import row_of
from appliance.storage.clickhouse.queries import render

Key = tuple[str, str]
"""Project id and entity id."""

_IDS_PER_QUERY = 1000
_MARGIN_US = 3_600_000_000
"""Between the clocks of the processes that a trace runs through."""
_ALIASES = {"prefer_column_name_to_alias": 1}
_Row = TypeVar("_Row", Observation, Score)


async def stored_observations(clickhouse: ClickHouse, wanted: Mapping[Key, int | None]) -> dict[Key, Observation]:
    """The newest rows by project and id, where there are any; raises StoreUnavailable.

    `wanted` says of each since when it can have begun (microseconds), or None: only rows with a bound are found without
    a look at the whole table, which an index by id does not save when many are looked for.
    """
    sql = render("stored", "observations", row=row_of())
    bounds = [since for since in wanted.values() if since is not None]
    bounded = [key for key, since in wanted.items() if since is not None]
    others = [key for key, since in wanted.items() if since is None]
    found = await _stored(clickhouse, sql, bounded, Observation, {"since": min(bounds, default=0)})
    return found | await _stored(clickhouse, sql, others, Observation, {"since": 0})


async def stored_scores(clickhouse: ClickHouse, keys: Iterable[Key]) -> dict[Key, Score]:
    """As `stored_observations`, for scores."""
    return await _stored(clickhouse, render("stored", "scores"), keys, Score, {})


async def stored_steps(clickhouse: ClickHouse, project_id: str, trace_id: str, since: int, until: int) -> list[Step]:
    """The observations of a trace that began between two times, in microseconds, or a little beyond them."""
    params = {
        "project_id": project_id,
        "trace_id": trace_id,
        "since": max(since - _MARGIN_US, 0),
        "until": min(until + _MARGIN_US, LATEST),
    }
    return await clickhouse.rows(render("stored", "steps"), params, Step)


async def _stored(
    clickhouse: ClickHouse, sql: str, keys: Iterable[Key], row_type: type[_Row], bounds: Mapping[str, int]
) -> dict[Key, _Row]:
    found: dict[Key, _Row] = {}
    by_project: dict[str, list[str]] = {}
    for project_id, entity_id in keys:
        by_project.setdefault(project_id, []).append(entity_id)
    for project_id, ids in by_project.items():
        remaining = iter(ids)
        while some := list(islice(remaining, _IDS_PER_QUERY)):
            params = {"project_id": project_id, "ids": some, **bounds}
            for row in await clickhouse.rows(sql, params, row_type, settings=_ALIASES):
                found[row.project_id, row.id] = row
    return found
