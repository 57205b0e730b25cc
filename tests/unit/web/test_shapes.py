"""The fields that a list reads are exactly those that its answers show."""

from __future__ import annotations

from typing import Any, Final, cast

import msgspec
import pytest

from appliance.model.observations import Observation
from appliance.web.api.observations_v2 import GROUPS
from appliance.web.api.shapes import OBSERVATION_FIELDS, observation, observation_v2, observation_v2_fields, parsed

_ALWAYS: Final = {"project_id", "trace_id", "id", "start_time", "end_time", "completion_start_time"} | {
    "created_at",
    "updated_at",
    "event_ts",
}
# Of a tier that is not built in, and with costs of our own: what a price is made of is looked at.
_ROW: Final = Observation(
    project_id="p", trace_id="t", id="o", start_time=1, event_ts=1, created_at=1, updated_at=1,
    parent_id="up", model_id="mine", pricing_tier_id="mine", usage_details={"input": 2, "output": 2, "total": 4},
    cost_details={"input": 1.0, "output": 1.0, "total": 2.0},
)  # fmt: skip


class _Watched:
    """An observation that remembers which of its fields were looked at."""

    def __init__(self) -> None:
        self.looked_at: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.looked_at.add(name)
        return getattr(_ROW, name)


def test_the_first_version_shows_all_that_it_reads() -> None:
    watched = _Watched()
    observation(cast(Observation, watched))
    assert watched.looked_at - _ALWAYS == OBSERVATION_FIELDS


@pytest.mark.parametrize(
    ("provided", "usage", "is_marked"), [({}, {"total": 3}, True), ({"input": 3}, {"total": 3}, False), ({}, {}, False)]
)
def test_tokens_that_nobody_reported_are_marked(
    provided: dict[str, int], usage: dict[str, int], is_marked: bool
) -> None:
    shape = observation(msgspec.structs.replace(_ROW, provided_usage_details=provided, usage_details=usage))
    assert shape.get("usageEstimated", False) is is_marked


@pytest.mark.parametrize("group", sorted(GROUPS))
def test_each_group_of_the_second_version_shows_all_that_it_reads(group: str) -> None:
    watched = _Watched()
    observation_v2(cast(Observation, watched), {"core", group}, set(), in_bookmarked_trace=True)
    assert watched.looked_at - _ALWAYS == observation_v2_fields({group})


@pytest.mark.parametrize("text", ["[" * 100_000 + "]" * 100_000, '{"a":' * 5_000 + "1" + "}" * 5_000, "[1", "-", "tru"])
def test_text_that_is_no_readable_json_is_shown_as_text(text: str) -> None:
    assert parsed(text) == text
