"""Which of several spans a trace has its name, input, output and attributes of, however they come in requests."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

from appliance.ingestion.legacy.decode import Event, split_events
from appliance.ingestion.otel.trace import MappedSpan, trace_parts
from appliance.model.traces import SpanPlace, Trace, TracePart, aggregate_parts
from tests.unit.ingestion.spans import SOURCE
from tests.unit.ingestion.spans import says as says_at

AS_ROOT = {"langfuse.internal.as_root": True}
APP_ROOT = {"langfuse.internal.is_app_root": True}
SECOND = 1_000_000


def says(attributes: dict[str, Any] | None = None, **options: Any) -> MappedSpan:
    """A span that starts and ends at the given seconds, with its id as name, input and output."""
    begin, end = options.pop("at")
    texts = {"langfuse.observation.input": f"in {options['id']}", "langfuse.observation.output": f"out {options['id']}"}
    options.setdefault("name", options["id"])
    span = says_at(texts | (attributes or {}), start=begin * SECOND, **options)
    span.span.end = end * SECOND
    return span


def trace_of(*spans: MappedSpan, besides: tuple[TracePart, ...] = ()) -> Trace:
    """The trace of these spans, which but for its start is the same in whatever order and company they come."""
    together = replace(aggregate_parts([*trace_parts(spans, SOURCE), *besides]), timestamp=0)
    apart = [trace_parts([span], SOURCE) for span in spans]
    for order in itertools.permutations([*apart, list(besides)]):
        assert replace(aggregate_parts([part for parts in order for part in parts]), timestamp=0) == together
    return together


def shown(trace: Trace, *spans: MappedSpan) -> tuple[str | None, str | None, str | None]:
    """Name, input and output as readers see them."""
    if trace.topmost is None:
        return trace.name, trace.input, trace.output
    [draft] = [each.draft for each in spans if SpanPlace(each.span.id, each.span.start) == trace.topmost]
    return trace.name, trace.input or draft.input, trace.output or draft.output


def test_a_span_below_one_that_was_not_sent_stands_for_its_trace() -> None:
    spans = says(id="agent", parent="http", at=(10, 20)), says(id="chat", parent="agent", at=(11, 12))

    assert shown(trace_of(*spans), *spans) == ("agent", "in agent", "out agent")


def test_a_parent_that_comes_late_takes_over() -> None:
    root, agent = says(id="root", at=(9, 30)), says(id="agent", parent="root", at=(10, 20))
    spans = root, agent, says(id="chat", parent="agent", at=(11, 12))

    assert shown(trace_of(*spans), *spans) == ("root", "in root", "out root")


def test_of_several_topmost_spans_the_first_to_start_counts_and_of_these_the_longest() -> None:
    spans = [says(id=id, parent="http", at=at) for id, at in (("b", (10, 11)), ("c", (10, 15)), ("d", (12, 19)))]

    assert shown(trace_of(*spans), *spans) == ("c", "in c", "out c")


def test_a_circle_of_parents_has_a_name_too() -> None:
    spans = says(id="a", parent="b", at=(10, 20)), says(id="b", parent="a", at=(11, 12))

    assert shown(trace_of(*spans), *spans) == ("a", "in a", "out a")


def test_the_root_of_a_program_names_the_trace_though_another_clock_is_behind() -> None:
    spans = says(APP_ROOT, id="answer", parent="http", at=(10, 20)), says(id="prices", parent="answer", at=(9, 11))

    assert shown(trace_of(*spans), *spans) == ("answer", "in answer", "out answer")


def test_the_topmost_span_names_the_trace_though_the_clock_of_a_lower_one_is_behind() -> None:
    spans = says(id="agent", parent="http", at=(10, 20)), says(id="chat", parent="agent", at=(9, 11))
    assert shown(trace_of(*spans), *spans) == ("agent", "in agent", "out agent")

    spans = says(id="agent", parent="http", at=(10, 20)), says(AS_ROOT, id="worker", parent="agent", at=(9, 11))
    assert shown(trace_of(*spans), *spans) == ("agent", "in agent", "out agent")


def test_a_process_that_joins_takes_nothing_over_whatever_its_clock_says() -> None:
    own: dict[str, Any] = {"langfuse.version": "1", "langfuse.release": "r1", "user.id": "ada", "session.id": "s1"}
    other: dict[str, Any] = {"langfuse.version": "2", "langfuse.release": "r2", "user.id": "bob", "session.id": "s2"}
    own |= {"langfuse.environment": "prod", "langfuse.trace.tags": ["a"], "langfuse.trace.metadata.k": "1"}
    other |= {"langfuse.environment": "dev", "langfuse.trace.tags": ["b"], "langfuse.trace.metadata.k": "2"}
    for first in ({}, APP_ROOT):
        for second in (AS_ROOT, AS_ROOT | APP_ROOT, {}):
            for at in ((8, 9), (11, 12), (25, 30)):
                caller = says(own | first, id="caller", parent="http" if first else "", at=(10, 20))
                worker = says(other | second, id="worker", parent="caller", at=at)
                trace = trace_of(caller, worker)
                assert shown(trace, caller, worker) == ("caller", "in caller", "out caller")
                assert (trace.version, trace.release, trace.user_id, trace.session_id) == ("1", "r1", "ada", "s1")
                assert (trace.environment, trace.tags, trace.metadata["k"]) == ("prod", ["a", "b"], "1")


def test_what_a_joining_process_adds_is_kept() -> None:
    caller = says(id="caller", at=(10, 20))
    worker = says(AS_ROOT | {"user.id": "bob", "langfuse.environment": "dev"}, id="worker", parent="x", at=(11, 12))

    trace = trace_of(caller, worker)

    assert (trace.name, trace.user_id, trace.environment) == ("caller", "bob", "dev")


def test_a_later_root_takes_nothing_over_but_adds_what_the_first_does_not_say() -> None:
    first = says({"user.id": "ada"}, id="first", at=(10, 11))
    second = says({"user.id": "bob", "session.id": "s"}, id="second", at=(20, 21))

    trace = trace_of(first, second)

    assert shown(trace) == ("first", "in first", "out first")
    assert (trace.user_id, trace.session_id) == ("ada", "s")


def test_a_process_that_joins_an_unknown_trace_stands_for_it() -> None:
    spans = says(AS_ROOT, id="worker", parent="x", at=(10, 20)), says(id="step", parent="worker", at=(11, 12))

    assert shown(trace_of(*spans), *spans) == ("worker", "in worker", "out worker")


def test_what_the_trace_is_given_on_purpose_wins_wherever_it_is_said() -> None:
    given = {"langfuse.trace.name": "given", "langfuse.trace.input": "gi", "langfuse.trace.output": "go"}
    for where in range(3):
        said = [given if place == where else {} for place in range(3)]
        spans = (
            says(said[0], id="root", at=(10, 20)),
            says(said[1] | AS_ROOT, id="worker", parent="x", at=(11, 12)),
            says(said[2], id="step", parent="root", at=(13, 14)),
        )
        assert shown(trace_of(*spans), *spans) == ("given", "gi", "go")


def test_only_the_input_may_be_given() -> None:
    root = says({"langfuse.trace.input": "given"}, id="root", at=(10, 20))
    later = says(id="later", at=(15, 30))
    orphan = says({"langfuse.trace.output": "given"}, id="orphan", parent="x", at=(12, 13))

    assert shown(trace_of(root, later)) == ("root", "given", "out root")
    assert shown(trace_of(orphan), orphan) == ("orphan", "in orphan", "given")


def test_an_outer_span_beats_an_inner_one_and_a_later_one_an_earlier() -> None:
    root = says(id="root", at=(10, 30))
    outer = says({"session.id": "outer", "user.id": "first"}, id="outer", parent="root", at=(11, 20))
    inner = says({"session.id": "inner"}, id="inner", parent="outer", at=(12, 13))
    later = says({"user.id": "second"}, id="later", parent="root", at=(21, 22))

    assert trace_of(root, outer, inner).session_id == "outer"
    assert trace_of(outer, later).user_id == "second"
    outermost = says({"session.id": "whole"}, id="root", at=(10, 30))
    assert trace_of(outermost, outer, inner).session_id == "whole"


def test_an_event_about_the_trace_counts_for_more_than_spans() -> None:
    body = {"id": "trace", "name": "given", "userId": "eve", "input": "asked", "environment": "prod"}
    event = Event(id="e", timestamp="1970-01-01T00:00:01Z", type="trace-create", body=body)
    (part,), _ = split_events([event], SOURCE)
    root = says({"user.id": "ada", "langfuse.environment": "dev", "session.id": "s"}, id="root", at=(10, 20))

    trace = trace_of(root, besides=(part,))

    assert (trace.name, trace.user_id, trace.input, trace.output) == ("given", "eve", "asked", "out root")
    assert (trace.environment, trace.session_id) == ("prod", "s")


def test_texts_of_a_topmost_span_are_not_stored_twice() -> None:
    (part,) = trace_parts([says({"user.id": "ada"}, id="agent", parent="http", at=(10, 20))], SOURCE)

    assert (part.part_id, part.name, part.user_id, part.input, part.output) == ("s:agent", "agent", "ada", None, None)
