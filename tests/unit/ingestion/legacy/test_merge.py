"""Partial events aggregate into one row in any order."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest

from appliance.ingestion.legacy.decode import Event, split_events
from appliance.ingestion.legacy.merge import began_after, merge_observation, merge_score
from appliance.ingestion.source import EntrySource
from appliance.model.observations import Observation
from appliance.model.patches import PatchSet
from appliance.model.price_table import built_in_models
from appliance.model.pricing import ModelDefinition, Pricing, PricingTier
from appliance.model.scores import Score
from appliance.model.traces import aggregate_parts
from tests.patched import events_of

SOURCE = EntrySource("p", 50)
FREE = Pricing([])


def event(type: str, second: float, **body: Any) -> Event:
    id = f"{type}-{second}"
    return Event(id, f"2024-01-01T00:00:{second:06.3f}Z", type, {"id": "x", "traceId": "t", **body})


def patch_set(*events: Event, is_first: bool = True, version: int = 10**15) -> PatchSet:
    _, patches = split_events(events, SOURCE)
    return PatchSet(patches[0].key, {patch.event_key: patch.body for patch in patches}, version, is_first)


def merged(*events: Event, base: Observation | None = None, is_first: bool = True) -> Observation:
    known = patch_set(*events, is_first=is_first)
    return merge_observation(known, events_of(known), base, FREE)[-1]


CREATE = event(
    "generation-create",
    1,
    name="llm",
    startTime="2024-01-01T00:00:00.5Z",
    input=[{"role": "user"}],
    model="m",
    metadata={"a": {"b": 1}, "keep": "x"},
    usage={"promptTokens": 3, "completionTokens": 4},
)
UPDATE = event("generation-update", 2, output="hi", metadata={"a": {"c": 2}}, endTime="2024-01-01T00:00:03Z")
LATE = event("span-update", 3, input="", output=None, level="WARNING", version="2", name=None)


def test_any_order_makes_the_same_row() -> None:
    rows = {msgspec.json.encode(merged(*order)) for order in itertools.permutations((CREATE, UPDATE, LATE))}

    assert len(rows) == 1
    row = merged(LATE, UPDATE, CREATE)
    assert (row.type, row.name, row.level, row.version) == ("GENERATION", "", "WARNING", "2")
    assert (row.input, row.output) == ('[{"role":"user"}]', "hi")
    assert row.metadata == {"a": '{"b":1,"c":2}', "keep": "x"}
    assert row.usage_details == {"input": 3, "output": 4, "total": 7}
    assert (row.start_time, row.end_time) == (1_704_067_200_500_000, 1_704_067_203_000_000)


def test_what_is_stored_is_the_base() -> None:
    stored = merged(CREATE)
    row = merged(UPDATE, base=stored)

    assert (row.name, row.output, row.start_time, row.type) == ("llm", "hi", stored.start_time, "GENERATION")
    assert row.usage_details == {"input": 3, "output": 4, "total": 7}
    assert row.metadata["keep"] == "x"


def test_an_update_alone_assumes_when_it_began() -> None:
    row = merged(UPDATE)

    assert row.start_time == 1_704_067_202_000_000
    assert row.type == "GENERATION"


def test_the_row_that_an_earlier_writer_placed_elsewhere_is_taken_away() -> None:
    early = event("generation-create", 1, startTime="2023-12-31T23:58:00Z")
    known = patch_set(early, UPDATE, is_first=False)

    *away, row = merge_observation(known, events_of(known), None, FREE)

    assert [(old.is_deleted, old.start_time, old.event_ts < row.event_ts) for old in away] == [
        (1, 1_704_067_200_000_000, True)
    ]


def test_a_second_creation_keeps_what_only_the_first_said() -> None:
    first = event("span-create", 1, name="step", input="asked", environment="prod", metadata={"a": {"b": 1}})
    second = event("span-create", 2, output="answer")
    stored = merged(first)
    row = merged(second, event("span-update", 3, metadata={"a": {"c": 2}}), base=stored, is_first=False)

    assert (row.name, row.input, row.output, row.environment) == ("step", "asked", "answer", "prod")
    assert row.metadata == {"a": '{"b":1,"c":2}'}
    assert row.start_time == stored.start_time


def test_a_row_written_before_the_creation_was_known_decides_nothing() -> None:
    create = event("generation-create", 1, environment="prod", usage={"input": 1}, startTime="2024-01-01T00:00:00Z")
    update = event("generation-update", 2, usageDetails={"input": 5}, costDetails={"total": 1.0})
    row = merged(create, update, base=merged(update), is_first=False)

    assert row == merged(create, update)
    assert (row.environment, row.start_time) == ("prod", 1_704_067_200_000_000)


def test_newer_usage_replaces_what_is_stored() -> None:
    row = merged(event("generation-update", 9, usage={"input": 7, "output": 1}), base=merged(CREATE))

    assert row.usage_details == {"input": 7, "output": 1, "total": 8}
    assert merged(UPDATE, base=merged(CREATE)).usage_details == {"input": 3, "output": 4, "total": 7}


def test_model_parameters_are_kept_as_they_were_sent() -> None:
    sent = {"max_tokens": 1000, "stream": True, "stop": ["a", "b"], "o": {"k": 1}, "n": None, "temperature": 0.9}
    row = merged(event("generation-create", 1, modelParameters=sent))

    assert msgspec.json.decode(row.model_parameters) == sent
    assert merged(UPDATE, base=row).model_parameters == row.model_parameters


def test_both_fields_of_usage_tell_of_the_same_tokens() -> None:
    sent = {"prompt_tokens": 3, "completion_tokens": 4}
    row = merged(event("generation-create", 1, usage=sent, usageDetails=sent))

    assert row.usage_details == {**sent, "total": 7}


def test_seconds_are_rounded_after_they_are_priced() -> None:
    tier = PricingTier(id="t", name="t", prices={"seconds": 0.0001})
    speech = Pricing([ModelDefinition(id="m", model_name="m", match_pattern="m", pricing_tiers=(tier,))])
    known = patch_set(event("generation-create", 1, model="m", usageDetails={"seconds": 521.5}))
    row = merge_observation(known, events_of(known), None, speech)[-1]

    assert (row.usage_details, row.provided_usage_details) == ({"seconds": 522, "total": 522}, {"seconds": 522})
    assert row.total_cost == pytest.approx(0.05215)


def test_langchain_tells_that_a_model_runs_locally() -> None:
    body = {"model": "mistral-large", "usageDetails": {"input": 1000}}
    rows = []
    for provider in ("ollama", "mistral"):
        known = patch_set(event("generation-create", 1, **body, metadata={"ls_provider": provider}))
        rows.append(merge_observation(known, events_of(known), None, Pricing(built_in_models()))[-1])

    assert rows[0].total_cost == 0
    assert rows[1].total_cost


def test_the_trace_and_the_observation_itself_are_no_parent() -> None:
    for parent, expected in (("t", ""), ("x", ""), ("p", "p")):
        row = merged(event("span-create", 1, traceId="t", parentObservationId=parent))
        assert (row.parent_id, row.is_root) == (expected, not expected)


def test_an_end_before_the_start_is_raised() -> None:
    row = merged(event("span-create", 5, startTime="2024-01-01T00:00:05Z", endTime="2024-01-01T00:00:01Z"))

    assert row.end_time == row.start_time


def score(**body: Any) -> Score:
    known = patch_set(event("score-create", 1, name="s", **body))
    row = merge_score(known, events_of(known), None, {})
    assert row is not None
    return row


def test_values_of_scores_by_type() -> None:
    def stored(**body: Any) -> tuple[str, float, str]:
        row = score(**body)
        return row.data_type, row.value, row.string_value

    assert stored(value=0.123456789) == ("NUMERIC", 0.123456789, "")
    assert stored(value="good") == ("CATEGORICAL", 0.0, "good")
    assert stored(value=1, dataType="BOOLEAN") == ("BOOLEAN", 1.0, "True")
    assert stored(value=0, dataType="BOOLEAN") == ("BOOLEAN", 0.0, "False")
    assert stored(value="long", dataType="TEXT") == ("TEXT", 0.0, "long")
    correction = score(value="better", dataType="CORRECTION")
    assert (correction.name, correction.long_string_value) == ("output", "better")


def test_a_score_keeps_its_time_and_takes_later_values() -> None:
    known = patch_set(event("score-create", 1, name="s", value=1, comment="c"), event("score-create", 2, value=2))
    row = merge_score(known, events_of(known), None, {})
    assert row is not None

    assert (row.timestamp, row.value, row.comment, row.trace_id) == (1_704_067_201_000_000, 2.0, "c", "t")


def trace_event(second: float, **body: Any) -> Event:
    return Event(f"e{second}", f"2024-01-01T00:00:{second:06.3f}Z", "trace-create", {"id": "t", **body})


def test_trace_events_add_to_each_other() -> None:
    parts, patches = split_events(
        [
            trace_event(1, name="n", userId="u", public=True, tags=["b"], input={"q": 1}, metadata={"a": {"x": 1}}),
            trace_event(2, output="", tags=["a"], metadata={"a": {"y": 2}}, userId=None),
            trace_event(3, output=False, input=0, release="r"),
        ],
        SOURCE,
    )
    trace = aggregate_parts(reversed(parts))

    assert not patches
    assert (trace.name, trace.user_id, trace.public, trace.tags, trace.release) == ("n", None, True, ["a", "b"], "r")
    assert (trace.input, trace.output, trace.metadata) == ('{"q":1}', None, {"a": '{"x":1,"y":2}'})


def test_an_observation_makes_its_trace_exist() -> None:
    alone, _ = split_events([CREATE], SOURCE)
    beside, _ = split_events([CREATE, trace_event(1, name="n")], SOURCE)

    assert [(part.id, part.part_id) for part in alone] == [("t", "o:x")]
    assert [part.part_id for part in beside] == ["e:e1"]


def test_what_is_stored_is_sought_from_an_hour_before_the_start_that_a_creation_tells() -> None:
    started = event("span-create", 2, startTime="2024-01-01T10:00:00Z")
    update = event("span-update", 1, startTime="2024-01-01T02:00:00Z")
    assert began_after(events_of(patch_set(started, update))) == 1_704_099_600_000_000
    assert began_after(events_of(patch_set(update))) is None
    assert began_after(events_of(patch_set(event("span-create", 3)))) is None


def test_events_of_one_request_may_share_their_id() -> None:
    """Clients without ids of their own use those of the entities, or a constant."""
    moment = "2024-01-01T00:00:01Z"
    create = Event("same", moment, "span-create", {"id": "x", "traceId": "t", "name": "n", "input": "i"})
    updates = [Event("same", moment, "span-update", {"id": "x", "output": word}) for word in ("a", "b")]
    row = merged(create, *updates)
    assert (row.name, row.input, row.output) == ("n", "i", "b")

    named = [Event("same", moment, "trace-create", {"id": id, "name": id, "output": id}) for id in ("t", "u")]
    more = Event("same", moment, "trace-create", {"id": "t", "output": "more"})
    parts, _ = split_events([*named, more], SOURCE)
    found = {id: aggregate_parts(part for part in parts if part.id == id) for id in ("t", "u")}
    assert [(trace.name, trace.output) for trace in found.values()] == [("t", "more"), ("u", "u")]


def test_within_a_millisecond_the_order_of_the_request_counts() -> None:
    moment = "2024-01-01T00:00:01Z"
    updates = [Event(id, moment, "span-update", {"id": "x", "traceId": "t", "output": id}) for id in "cab"]
    traces = [Event(id, moment, "trace-create", {"id": "t", "output": id}) for id in "cab"]

    assert merged(*updates).output == "b"
    assert aggregate_parts(split_events(traces, SOURCE)[0]).output == "b"


def test_usage_and_costs_of_a_later_event_replace_the_earlier_ones_whole() -> None:
    create = event("generation-create", 1, usage={"input": 5, "output": 6, "inputCost": 1.0, "outputCost": 2.0})
    update = event("generation-update", 2, usageDetails={"input": 1}, costDetails={"total": 4.0})
    nothing = event("generation-update", 3, usage=None, usageDetails=None, costDetails={})
    stored = merged(create)

    for row in (merged(create, update, nothing), merged(update, nothing, base=stored)):
        assert (row.provided_usage_details, row.provided_cost_details) == ({"input": 1}, {"total": 4.0})
    for row in (merged(create, nothing), merged(nothing, base=stored)):
        assert row.provided_usage_details == {"input": 5, "output": 6, "total": 11}
        assert row.provided_cost_details == {"input": 1.0, "output": 2.0}
