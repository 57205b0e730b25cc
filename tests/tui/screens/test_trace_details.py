"""What the details of a step say."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from appliance.api_types.observations import ApiObservation
from tui.model.records import Observation
from tui.screens.trace_details import metadata_lines
from tui.text.palette import palette_of


@pytest.mark.parametrize("is_estimated", [True, False])
def test_tokens_that_the_server_counted_are_marked(is_estimated: bool) -> None:
    one = Observation(id="o", type="GENERATION", start_time=datetime(2026, 1, 1, tzinfo=UTC))
    facts = ApiObservation(id="o", usage_details={"total": 3}, usage_estimated=is_estimated)
    shown = "\n".join(line.text.plain for line in metadata_lines(one, None, facts, set(), palette_of({})))
    assert ("≈" in shown) is is_estimated and "USAGE" in shown
