"""The tree of a trace."""

from __future__ import annotations

from io import StringIO
from typing import Any

import msgspec
from rich.console import Console, RenderableType

from appliance.api_types.media import ApiMedia
from appliance.api_types.traces import ApiTraceDetail
from appliance.cli.data.trace_tree import media_lines, trace_tree


def drawn(thing: RenderableType, width: int = 120) -> str:
    out = StringIO()
    Console(file=out, width=width, color_system=None).print(thing)
    return out.getvalue()


def tree_of(trace: dict[str, Any], media: dict[str, ApiMedia] | None = None) -> RenderableType:
    return trace_tree(msgspec.convert(trace, ApiTraceDetail), media)


def observation(identity: str, parent: str | None, **more: Any) -> dict[str, Any]:
    return {
        "id": identity,
        "parentObservationId": parent,
        "name": f"name-{identity}",
        "type": "SPAN",
        "startTime": "2026-01-01T00:00:00.000Z",
        "endTime": "2026-01-01T00:00:01.500Z",
        **more,
    }


def test_a_trace_is_drawn_as_a_tree_with_its_scores() -> None:
    trace = {
        "id": "t1",
        "name": "rag",
        "timestamp": "2026-01-01T00:00:00Z",
        "observations": [
            observation("c", "b", level="ERROR", statusMessage="too slow"),
            observation("b", "a", model="gpt-4o", usageDetails={"total": 1500}, calculatedTotalCost=0.0045),
            observation("a", None),
        ],
        "scores": [{"id": "s", "name": "quality", "value": 0.75, "comment": "close"}],
    }
    lines = drawn(tree_of(trace)).splitlines()
    places = [next(i for i, line in enumerate(lines) if f"name-{one}" in line) for one in "abc"]
    assert places == sorted(places)
    text = "\n".join(lines)
    assert "gpt-4o  1.50 s  1,500 tok  $0.0045" in text
    trace["observations"] = [observation("a", None, usageDetails={"total": 9}, usageEstimated=True)]
    assert "≈9 tok" in drawn(tree_of(trace))
    assert "too slow" in text and "score quality 0.75  close" in text


def test_a_level_that_matters_is_a_word_too() -> None:
    lines = drawn(
        tree_of({"id": "t", "observations": [observation("a", None, level="ERROR"), observation("b", None)]})
    ).splitlines()
    assert "ERROR" in next(line for line in lines if "name-a" in line)
    assert "DEFAULT" not in "".join(lines)


def test_siblings_stand_in_the_order_of_their_starts() -> None:
    late = observation("late", "root", startTime="2026-01-01T00:00:00.500Z")
    text = drawn(tree_of({"id": "t", "observations": [late, observation("root", None), observation("a", "root")]}))

    assert text.index("name-root") < text.index("name-a") < text.index("name-late")


def test_observations_without_their_parent_and_in_a_circle_are_still_shown() -> None:
    lost = [observation("a", "gone"), observation("b", "c"), observation("c", "b"), observation("d", "d")]
    text = drawn(tree_of({"id": "t", "observations": lost}))
    assert all(f"name-{one}" in text for one in "abcd")


def test_messages_are_shown_and_those_of_an_input_once() -> None:
    asked = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Rain in Oslo?\x1b[2J"}]
    call = {"role": "assistant", "tool_calls": [{"function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}]}
    answer = {"role": "tool", "content": "Yes"}
    first = observation("a", None, input={"messages": asked}, output=call)
    second = observation("b", None, input=[*asked, call, answer], output="Yes.\nTake a coat.")
    text = drawn(tree_of({"id": "t", "input": {"q": 1}, "output": second["output"], "observations": [first, second]}))
    assert [line.lstrip("│├└─ ") for line in text.splitlines()[2:]] == [
        'input  {"q": 1}',
        "span name-a  1.50 s",
        "input system  Be brief.",
        "input user  Rain in Oslo?·[2J",
        'output assistant  → weather {"city": "Oslo"}',
        "span name-b  1.50 s",
        "input  3 of 4 messages stand above",
        "input tool  ← Yes",
        "output  Yes.",
        "Take a coat.",
    ]


def test_a_long_text_is_cut_and_says_so() -> None:
    text = drawn(tree_of({"id": "t", "observations": [observation("a", None, input="a" * 9000)]}))
    assert "(9,000 characters; --json shows all)" in " ".join(text.split())
    assert 2000 <= text.count("a") < 2100


def test_the_files_of_a_trace_stand_below_what_refers_to_them() -> None:
    text = "@@@langfuseMedia:type=image/png|id=uEig0wSz8oCevEy61aDUP9|source=bytes@@@"
    step = {"id": "o", "type": "SPAN", "name": "look", "startTime": "2026-01-01T00:00:00Z", "input": {"image": [text]}}
    media = {
        "uEig0wSz8oCevEy61aDUP9": ApiMedia(
            media_id="uEig0wSz8oCevEy61aDUP9",
            content_type="image/png",
            content_length=34_000,
            url="http://localhost:3000/api/media/p/uEig0wSz8oCevEy61aDUP9?expires=1",
        )
    }
    trace = {"id": "t", "name": "vision", "output": f"![]({text})", "observations": [step]}
    lines = drawn(tree_of(trace, media)).splitlines()
    assert sum("media output image/png, 34.0 kB  uEig0wSz8oCevEy61aDUP9" in line for line in lines) == 1
    below = lines[next(number for number, line in enumerate(lines) if "look" in line) + 1]
    assert "media input image/png, 34.0 kB" in below
    assert "media" not in drawn(tree_of(trace))
    (link,) = media_lines(media)
    assert link.endswith("34.0 kB  http://localhost:3000/api/media/p/uEig0wSz8oCevEy61aDUP9?expires=1")
