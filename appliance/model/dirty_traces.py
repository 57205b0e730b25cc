"""Traces that an insert changes, so that their stored aggregates are out of date."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from appliance.model.observations import Observation
from appliance.model.traces import TracePart


class DirtyTrace(msgspec.Struct):
    """A row of `touched_traces`, without its time, which ClickHouse sets; times in microseconds since the epoch."""

    project_id: str
    trace_id: str
    first_start: int
    """Start of the earliest observation or part that was written."""
    last_start: int


def dirty_traces_of(observations: Iterable[Observation], parts: Iterable[TracePart]) -> list[DirtyTrace]:
    """One row for each trace that these rows belong to."""
    by_trace: dict[tuple[str, str], DirtyTrace] = {}
    places = [(row.project_id, row.trace_id, row.start_time) for row in observations if row.trace_id]
    places += [(part.project_id, part.id, part.timestamp) for part in parts]
    for project_id, trace_id, start in places:
        dirty_trace = by_trace.setdefault((project_id, trace_id), DirtyTrace(project_id, trace_id, start, start))
        dirty_trace.first_start = min(dirty_trace.first_start, start)
        dirty_trace.last_start = max(dirty_trace.last_start, start)
    return list(by_trace.values())
