"""The JSON of each answer is the one that was recorded, but for the order of its fields."""

from __future__ import annotations

import pytest

from appliance.queries.traces import FIELD_GROUPS, TraceItem
from appliance.storage.clickhouse.sessions import Session
from appliance.web.api.observations import api_observation
from appliance.web.api.observations_v2 import GROUPS, api_observation_v2
from appliance.web.api.scores import api_score
from appliance.web.api.scores_v3 import api_score_v3
from appliance.web.api.sessions import api_session
from appliance.web.api.traces import api_trace, api_trace_item
from tests.unit.web.api import rows
from tests.unit.web.api.recorded import recorded, sent

_ITEM = TraceItem(trace=rows.FULL_TRACE, observation_ids=["full"], score_ids=["full"], latency_s=1.5, total_cost=0.25)
_OBSERVATIONS = {
    "bare": rows.BARE_OBSERVATION,
    "full": rows.FULL_OBSERVATION,
    "estimated": rows.ESTIMATED_OBSERVATION,
}


def test_traces() -> None:
    assert recorded("traces") == {
        "trace bare": sent(api_trace(rows.BARE_TRACE)),
        "trace full": sent(api_trace(rows.FULL_TRACE)),
        "trace item": sent(api_trace_item(_ITEM, FIELD_GROUPS)),
        "trace item core": sent(api_trace_item(_ITEM, frozenset({"core"}))),
    }


def test_a_session() -> None:
    session = api_session("p", Session("chat-1", rows.START, "production"))
    assert recorded("sessions") == {"session": sent(session)}


@pytest.mark.parametrize("name", _OBSERVATIONS)
def test_observations(name: str) -> None:
    row, answers = _OBSERVATIONS[name], recorded("observations")
    assert sent(api_observation(row)) == answers[f"observation {name}"]
    assert sent(api_observation_v2(row, {"core"}, set())) == answers[f"observation v2 {name} core"]
    all_groups = api_observation_v2(row, GROUPS, {"object"}, in_bookmarked_trace=True)
    assert sent(all_groups) == answers[f"observation v2 {name}"]


@pytest.mark.parametrize("name", rows.SCORES)
def test_scores(name: str) -> None:
    row, answers = rows.SCORES[name], recorded("scores")
    assert sent(api_score(row, version=1)) == answers[f"score v1 {name}"]
    assert sent(api_score(row, version=2)) == answers[f"score v2 {name}"]
    assert sent(api_score_v3(row, set())) == answers[f"score v3 {name} core"]
    assert sent(api_score_v3(row, {"details", "subject", "annotation"})) == answers[f"score v3 {name}"]
