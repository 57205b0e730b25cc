"""Which traces an insert changes: what says that their folded rows are out of date."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from appliance.model.observations import Observation
from appliance.model.traces import TracePart


class Touch(msgspec.Struct):
    """One row of the table `touched_traces`, but for its time, which is the server's; microseconds since the epoch."""

    project_id: str
    trace_id: str
    first_start: int
    """Start of the earliest observation or part that was written."""
    last_start: int


def touches_of(observations: Iterable[Observation], parts: Iterable[TracePart]) -> list[Touch]:
    """One touch for each trace that these rows belong to."""
    found: dict[tuple[str, str], Touch] = {}
    places = [(row.project_id, row.trace_id, row.start_time) for row in observations if row.trace_id]
    places += [(part.project_id, part.id, part.timestamp) for part in parts]
    for project_id, trace_id, start in places:
        touch = found.setdefault((project_id, trace_id), Touch(project_id, trace_id, start, start))
        touch.first_start = min(touch.first_start, start)
        touch.last_start = max(touch.last_start, start)
    return list(found.values())
