"""The fields that a list of observations reads are exactly those that its answers show."""

from __future__ import annotations

from typing import Any, Final, cast

import pytest

from appliance.model.observations import Observation
from appliance.web.api.observations import OBSERVATION_FIELDS, api_observation
from appliance.web.api.observations_v2 import GROUPS, api_observation_v2, fields_of

_ALWAYS: Final = {"project_id", "trace_id", "id", "start_time", "end_time", "completion_start_time"} | {
    "created_at",
    "updated_at",
    "event_ts",
}
# Of a tier that is not built in, and with costs of our own: all that prices are derived from is read.
_ROW: Final = Observation(
    project_id="p", trace_id="t", id="o", start_time=1, event_ts=1, created_at=1, updated_at=1,
    parent_id="up", model_id="mine", pricing_tier_id="mine", usage_details={"input": 2, "output": 2, "total": 4},
    cost_details={"input": 1.0, "output": 1.0, "total": 2.0},
)  # fmt: skip


class _Watched:
    """An observation that remembers which of its fields were read."""

    def __init__(self) -> None:
        self.fields: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.fields.add(name)
        return getattr(_ROW, name)


def test_the_first_version_shows_all_that_it_reads() -> None:
    watched = _Watched()
    api_observation(cast(Observation, watched))
    assert watched.fields - _ALWAYS == OBSERVATION_FIELDS


@pytest.mark.parametrize("group", sorted(GROUPS))
def test_each_group_of_the_second_version_shows_all_that_it_reads(group: str) -> None:
    watched = _Watched()
    api_observation_v2(cast(Observation, watched), {"core", group}, set(), in_bookmarked_trace=True)
    assert watched.fields - _ALWAYS == fields_of({group})
