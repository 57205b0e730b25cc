"""Observations with what only their traces know."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from appliance.model.observations import Observation
from appliance.model.traces import Trace
from appliance.queries.traces import traces_by_id
from appliance.storage.clickhouse import observations
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.observations import ObservationKey, ObservationQuery


async def read_in_traces(
    clickhouse: ClickHouse, query: ObservationQuery, keys: Sequence[ObservationKey]
) -> tuple[list[Observation], dict[str, Trace]]:
    """The observations of `keys`, filled in from their traces, and these traces by id.

    Raises QueryTooExpensive and StoreUnavailable.
    """
    rows, traces = await asyncio.gather(
        observations.read(clickhouse, query, keys),
        traces_by_id(clickhouse, query.project_id, (key.trace_id for key in keys)),
    )
    for row in rows:
        if (trace := traces.get(row.trace_id)) is not None:
            _fill_from(row, trace)
    return rows, traces


def _fill_from(row: Observation, trace: Trace) -> None:
    """A user or session may come by an event about the trace, or by another span; the observation shows it, too."""
    row.user_id = row.user_id or trace.user_id or ""
    row.session_id = row.session_id or trace.session_id or ""
    row.trace_name = row.trace_name or trace.name or ""
    row.release = row.release or trace.release or ""
    row.tags = row.tags or trace.tags
    row.public = row.public or trace.public
