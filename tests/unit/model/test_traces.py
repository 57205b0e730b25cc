"""The rules by which the parts of a trace become one trace."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any, Final

import pytest

from appliance.model.traces import EVENT_WEIGHT, ROOT_WEIGHT, SpanPlace, TracePart, aggregate_parts

COUNT: Final = range(20_000)


def part(part_id: str, at: int, **said: Any) -> TracePart:
    return TracePart(
        project_id="p",
        id="t",
        part_id=part_id,
        timestamp=at,
        order_ts=at,
        event_ts=at + 1000,
        created_at=at + 500,
        **said,
    )


def test_the_earliest_part_gives_the_timestamp_and_the_latest_the_values() -> None:
    trace = aggregate_parts([part("b", 20, user_id="late"), part("a", 10, user_id="early", session_id="s")])
    assert (trace.timestamp, trace.user_id, trace.session_id) == (10, "late", "s")
    assert (trace.created_at, trace.updated_at) == (510, 1020)


def test_a_given_name_beats_the_root_spans_own_however_late_that_comes() -> None:
    trace = aggregate_parts([part("a", 10, name="given", name_rank=2), part("b", 20, name="root span", name_rank=1)])
    assert trace.name == "given"


def test_tags_are_a_sorted_union_and_metadata_merges_by_key() -> None:
    trace = aggregate_parts(
        [
            part("a", 10, tags=["z", "a"], metadata={"x": "1", "y": "1"}),
            part("b", 20, tags=["m", "a"], metadata={"y": "2"}),
        ]
    )
    assert trace.tags == ["a", "m", "z"]
    assert trace.metadata == {"x": "1", "y": "2"}


def test_silence_keeps_and_null_erases() -> None:
    kept = aggregate_parts([part("a", 10, output="o", public=True), part("b", 20)])
    assert (kept.output, kept.public) == ("o", True)
    erased = aggregate_parts([part("a", 10, output="o", public=True), part("b", 20, nulls=["output", "public"])])
    assert (erased.output, erased.public) == (None, False)
    said_again = aggregate_parts([part("a", 10, nulls=["output"]), part("b", 20, output="o")])
    assert said_again.output == "o"


def test_a_name_erased_can_be_given_again_by_a_root_span() -> None:
    trace = aggregate_parts(
        [
            part("a", 10, name="given", name_rank=2),
            part("b", 20, nulls=["name"]),
            part("c", 30, name="root", name_rank=1),
        ]
    )
    assert trace.name == "root"


def test_the_earliest_environment_that_says_something_stays() -> None:
    trace = aggregate_parts([part("a", 10), part("b", 20, environment="prod"), part("c", 30, environment="dev")])
    assert trace.environment == "prod"


def test_order_of_arrival_and_repetition_do_not_matter() -> None:
    parts = [
        part("a", 10, name="root", name_rank=1, tags=["x"], input="i"),
        part("b", 10, name="given", name_rank=2, user_id="u"),
        part("c", 15, nulls=["input"], metadata={"k": "v"}),
    ]
    expected = aggregate_parts(parts)
    for order in itertools.permutations(parts):
        assert aggregate_parts([*order, *order]) == expected


def test_heavier_parts_win_however_late_the_others_are() -> None:
    root = part("r:a", 10, is_root=True, weight=ROOT_WEIGHT - 10, user_id="root", metadata={"k": "root"}, input="i")
    later = part("u:b", 20, user_id="later", metadata={"k": "later", "l": "later"})
    event = part("e:c", 5, weight=EVENT_WEIGHT, environment="prod")
    trace = aggregate_parts([root, later, event])
    assert (trace.user_id, trace.metadata) == ("root", {"k": "root", "l": "later"})
    assert (trace.environment, trace.input) == ("prod", "i")


def test_parts_of_the_first_version_are_folded_as_they_were() -> None:
    early = part("r:a", 10, name="early", name_rank=1, is_root=True, environment="prod", input="i", output="o")
    late = part("r:b", 20, name="late", name_rank=1, is_root=True, environment="dev", input="j")
    trace = aggregate_parts([late, early, part("s:c", 5)])
    assert (trace.name, trace.environment, trace.input, trace.output, trace.topmost) == ("late", "prod", "j", "o", None)


def test_a_topmost_span_lends_what_nobody_else_has() -> None:
    topmost = part("s:a", 10, name="a", name_rank=1, weight=-10)
    assert aggregate_parts([topmost]).topmost == SpanPlace("a", 10)
    assert aggregate_parts([topmost, part("s:b", 11, name="b", name_rank=1, weight=-11)]).topmost == SpanPlace("a", 10)
    assert aggregate_parts([topmost, part("u:c", 12, input="i", output="o")]).topmost is None
    root = part("r:d", 20, name="d", name_rank=1, is_root=True, weight=ROOT_WEIGHT - 20)
    assert (aggregate_parts([topmost, root]).topmost, aggregate_parts([topmost, root]).name) == (None, "d")


@pytest.mark.parametrize(
    "said",
    [
        lambda number: {"input": "x"},
        lambda number: {"nulls": ["input", "name", "metadata"]},
        lambda number: {"metadata": {f"key {number}": "x"}},
        lambda number: {"tags": [f"tag {number}"]},
    ],
)
def test_the_time_for_many_roots_grows_with_their_number(said: Callable[[int], dict[str, Any]]) -> None:
    parts = [part(f"r:{number}", number, is_root=True, weight=ROOT_WEIGHT - number, **said(number)) for number in COUNT]

    began = time.process_time()
    aggregate_parts(parts)

    assert time.process_time() - began < 5
