"""What the spans of one request say of their trace."""

from __future__ import annotations

import time

from appliance.ingestion.otel.trace import trace_parts
from appliance.model.traces import aggregate_parts
from tests.unit.ingestion.spans import SOURCE, says


def test_a_root_tells_everything_once() -> None:
    handed_on = {"langfuse.trace.name": "chat", "user.id": "ada", "session.id": "s", "langfuse.trace.tags": ["b", "a"]}
    root = says({**handed_on, "langfuse.observation.input": "q", "langfuse.observation.output": "a"}, id="r")
    child = says(handed_on, id="c", parent="r", start=2_000_000)

    (part,) = trace_parts([child, root], SOURCE)

    assert (part.part_id, part.name, part.name_rank, part.tags) == ("r:r", "chat", 2, ["a", "b"])
    assert (part.input, part.output, part.timestamp) == ("q", "a", 1_000_000)


def test_children_add_what_the_root_does_not_say() -> None:
    root = says({}, id="r", name="handler")
    child = says({"user.id": "ada", "langfuse.trace.public": True}, id="c", parent="r", start=2_000_000)

    trace = aggregate_parts(trace_parts([root, child], SOURCE))

    assert (trace.name, trace.user_id, trace.public) == ("handler", "ada", True)


def test_public_is_not_taken_back_by_a_later_span() -> None:
    root = says({"langfuse.trace.public": True}, id="r")
    later = says({"user.id": "ada"}, id="c", parent="r", start=2_000_000)

    assert aggregate_parts(trace_parts([root, later], SOURCE)).public


def test_a_later_root_does_not_take_the_given_name() -> None:
    named = trace_parts([says({"langfuse.trace.name": "given"}, id="a")], SOURCE)
    other = trace_parts([says({}, id="b", name="own", start=5_000_000)], SOURCE)

    assert aggregate_parts([*named, *other]).name == "given"


def test_a_trace_without_root_exists_too() -> None:
    (part,) = trace_parts([says({}, id="b", parent="x", start=9), says({}, id="a", parent="x", start=8)], SOURCE)

    assert (part.part_id, part.timestamp, part.name) == ("s:a", 8, "step")


def test_a_remote_parent_may_be_marked_as_root() -> None:
    (part,) = trace_parts([says({"langfuse.internal.as_root": True}, parent="remote", name="own")], SOURCE)

    assert (part.is_root, part.name) == (True, "own")


def test_the_trace_input_wins_over_the_roots() -> None:
    attributes = {"langfuse.trace.input": "t", "langfuse.observation.input": "o", "langfuse.observation.output": "oo"}
    (part,) = trace_parts([says(attributes)], SOURCE)

    assert (part.input, part.output) == ("t", "oo")


def test_a_conversation_is_a_session_only_when_nobody_names_one() -> None:
    root = says({"session.id": "named"}, id="r")
    child = says({"gen_ai.conversation.id": "conversation"}, id="c", parent="r", start=2_000_000)

    assert aggregate_parts(trace_parts([root, child], SOURCE)).session_id == "named"
    assert aggregate_parts(trace_parts([child], SOURCE)).session_id == "conversation"
    apart = [*trace_parts([root], SOURCE), *trace_parts([child], SOURCE)]
    assert aggregate_parts(apart).session_id == "named"


def test_metadata_joins_trace_and_root() -> None:
    root = says({"langfuse.observation.metadata.o": "1", "langfuse.trace.metadata.t": "2"}, id="r")
    child = says({"langfuse.observation.metadata.c": "3"}, id="c", parent="r")

    metadata = aggregate_parts(trace_parts([root, child], SOURCE)).metadata

    assert metadata == {"o": "1", "t": "2", "resourceAttributes": "{}", "scope": "{}"}


def test_attributes_that_nobody_read_are_kept_but_for_the_sdks_own() -> None:
    foreign = says({"http.route": "/x", "n": 1}, scope="spring")

    assert foreign.draft.metadata["attributes"] == '{"http.route":"/x","n":"1"}'
    assert says({"http.route": "/x"}).draft.metadata["attributes"] == '{"http.route":"/x"}'
    assert "attributes" not in says({"langfuse.internal.something": 1}).draft.metadata


def test_the_same_request_makes_the_same_parts() -> None:
    def spans() -> list[str]:
        made = [says({"user.id": "u"}, id=id, parent="x", start=3) for id in ("b", "a")]
        return [part.part_id for part in trace_parts(made, SOURCE)]

    assert spans() == spans() == ["s:a"]


def test_the_time_for_many_tags_grows_with_their_number() -> None:
    spans = [
        says({"langfuse.trace.tags": [f"{number:05}"]}, id=f"{number:x}", parent="away") for number in range(20_000)
    ]

    began = time.process_time()
    [found] = trace_parts(spans, SOURCE)

    assert found.tags == [f"{number:05}" for number in range(20_000)]
    assert time.process_time() - began < 5
