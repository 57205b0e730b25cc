"""What is left of many events comes to the same row as all of them, whatever arrives afterwards."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.ingestion.legacy import condense
from appliance.ingestion.legacy.condense import MANY, condensed_patches
from appliance.ingestion.legacy.decode import Event, split_events
from appliance.ingestion.legacy.merge import began_after, keyed_events_of, merge_observation, merge_score
from appliance.ingestion.source import EntrySource
from appliance.model.patches import PatchSet
from appliance.model.pricing import Pricing
from appliance.model.score_configs import ScoreConfig
from tests.patched import events_of

FREE = Pricing([])
EPOCH = datetime.fromtimestamp(0, UTC)
CONFIG = ScoreConfig(
    id="c",
    project_id="p",
    name="config",
    data_type="NUMERIC",
    is_archived=False,
    min_value=0,
    max_value=5,
    categories=None,
    description=None,
    created_at=EPOCH,
    updated_at=EPOCH,
)
CONFIGS = {"c": CONFIG}


def condensed(patches: PatchSet, configs: Mapping[str, ScoreConfig]) -> dict[bytes, bytes] | None:
    return condensed_patches(patches, keyed_events_of(patches), configs)


texts = st.sampled_from(["", "a", "b", "c"])
leaves = st.none() | st.integers(0, 3) | texts
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=8,
)
times = st.sampled_from([f"2024-01-01T00:{minute:02d}:00Z" for minute in range(6)])
usage = st.dictionaries(st.sampled_from(["input", "output", "total"]), st.integers(0, 9), max_size=2)

OBSERVATION_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "traceId": st.sampled_from([None, "t", "u"]),
    "environment": st.sampled_from([None, "default", "prod", "test"]),
    "startTime": times,
    "endTime": times | st.none(),
    "completionStartTime": times,
    "name": texts | st.none(),
    "level": st.sampled_from(["DEBUG", "ERROR"]),
    "statusMessage": texts,
    "parentObservationId": st.sampled_from([None, "p", "q"]),
    "model": texts,
    "modelParameters": st.dictionaries(st.sampled_from("xy"), texts, max_size=2),
    "promptName": st.sampled_from(["n", "m"]),
    "promptVersion": st.integers(1, 3),
    "usage": usage,
    "usageDetails": usage,
    "costDetails": usage,
    "input": values,
    "output": values,
    "metadata": values,
    "type": st.sampled_from(["TOOL", "AGENT", "NONE"]),
    "other": texts,
}
SCORE_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "traceId": st.sampled_from(["t", "u"]),
    "observationId": st.sampled_from(["o", "p"]),
    "environment": st.sampled_from(["prod", "test"]),
    "comment": texts | st.none(),
    "configId": st.sampled_from(["c"]),
    "source": st.sampled_from(["API", "EVAL"]),
    "metadata": values,
}


def observation_events() -> st.SearchStrategy[Event]:
    kinds = st.sampled_from(
        ["span-create", "generation-create", "observation-create", "span-update", "generation-update"]
    )
    return events_of_kinds(kinds, st.fixed_dictionaries({"id": st.just("x")}, optional=OBSERVATION_FIELDS))


def score_events() -> st.SearchStrategy[Event]:
    required = {"id": st.just("x"), "value": st.integers(0, 9), "name": st.sampled_from(["n", "m"])}
    body = st.fixed_dictionaries(required, optional={**SCORE_FIELDS, "dataType": st.just("NUMERIC")})
    return events_of_kinds(st.just("score-create"), body)


def events_of_kinds(kinds: st.SearchStrategy[str], body: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[Event]:
    names = st.integers(0, 10**6).map(str)
    return st.builds(Event, id=names, timestamp=times, type=kinds, body=body)


@pytest.fixture
def every_set_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(condense, "MANY", 0)
    monkeypatch.setattr(condense, "_WORTHWHILE", -(10**9))


def patches_of(events: Sequence[Event], accepted_at: int) -> PatchSet:
    _, patches = split_events(events, EntrySource("p", accepted_at))
    return PatchSet(patches[0].key, {patch.event_key: patch.body for patch in patches}, 10**15, is_first=True)


def row_of(patches: PatchSet) -> Any:
    """The row, with metadata as objects: the order of their keys does not matter."""
    events = events_of(patches)
    if patches.key[1] == "score":
        row, began = msgspec.to_builtins(merge_score(patches, events, None, CONFIGS)), None
    else:
        row, began = msgspec.to_builtins(merge_observation(patches, events, None, FREE)[-1]), began_after(events)
    metadata = {key: parsed(text) for key, text in ((row or {}).get("metadata") or {}).items()}
    return {**(row or {}), "metadata": metadata}, began


def parsed(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def with_more(known: dict[bytes, bytes], more: PatchSet) -> PatchSet:
    return dataclasses.replace(more, patches={**known, **more.patches})


@pytest.mark.usefixtures("every_set_is_long")
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_what_is_left_stands_for_all(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from([observation_events(), score_events()]))
    events = data.draw(st.lists(kind, min_size=1, max_size=8))
    later = data.draw(st.lists(kind, min_size=1, max_size=4))
    known = patches_of(events, 60)
    for event in later:
        event.id = f"later-{event.id}"
    more = patches_of(later, data.draw(st.sampled_from([50, 60, 70])))

    left = condensed(known, CONFIGS)

    assert left is not None and left.keys() <= known.patches.keys()
    assert row_of(with_more(left, more)) == row_of(with_more(known.patches, more))
    if left:
        assert row_of(dataclasses.replace(known, patches=left)) == row_of(known)
        again = condensed(dataclasses.replace(known, patches=left), CONFIGS)
        assert again == left
    assert row_of(with_more(left, known)) == row_of(known)  # delivered once more


def update(number: int, **body: Any) -> Event:
    return Event(
        f"e{number}", f"2024-01-01T00:{number // 60 % 60:02d}:{number % 60:02d}Z", "span-update", {"id": "x", **body}
    )


@pytest.mark.parametrize("metadata", [{"step": 1, "list": [{"a": 1}]}, {"step": {"n": [1, 2]}}, "text", ["a"]])
def test_the_number_of_updates_does_not_show(metadata: Any) -> None:
    events = [
        update(number, name=f"n{number}", output=f"o{number}", metadata=metadata, usage={"input": number}, odd=number)
        for number in range(3000)
    ]
    sizes = []
    for count in (300, 3000):
        left = condensed(patches_of(events[:count], 5), {})
        assert left is not None
        sizes.append((len(left), sum(map(len, left.values()))))
    assert sizes[1][0] <= sizes[0][0] <= 4
    assert sizes[1][1] < sizes[0][1] + 50


def test_few_patches_stay_as_they_are() -> None:
    events = [update(number, name=f"n{number}") for number in range(MANY - 1)]
    assert condensed(patches_of(events, 5), {}) is None
