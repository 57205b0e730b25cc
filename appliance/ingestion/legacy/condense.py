"""Condenses the events of an entity that is updated again and again to those that still count.

The condensed events give the same row as all of them, also together with events that arrive later and happened earlier.
So the cost of an update depends on the size of its entity, not on the number of earlier updates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import msgspec

from appliance.ingestion.legacy.aggregate import StoredEvent, as_object, is_truthy
from appliance.ingestion.legacy.merge import (
    OBSERVATION_IMMUTABLE,
    OBSERVATION_TEXTS,
    SCORE_IMMUTABLE,
    SCORE_TEXTS,
    broken_rule,
    kind_of,
    measured,
)
from appliance.model.metadata import MAX_DEPTH
from appliance.model.observations import OBSERVATION_TYPES
from appliance.model.patches import PatchSet
from appliance.model.score_configs import ScoreConfig
from appliance.model.times import parse_iso

MANY: Final = 48
"""Patches of one entity from which on condensing pays."""
_WORTHWHILE: Final = 16
"""Patches that must go at once; else every update would condense again."""

_MEASURES: Final = ("usage", "usageDetails", "costDetails")
_OBSERVATION_LAST: Final = (
    *OBSERVATION_TEXTS,
    "endTime",
    "completionStartTime",
    "modelParameters",
    "promptName",
    "promptVersion",
)
_SCORE_LAST: Final = (*SCORE_TEXTS, "name", "source")
_SCORE_RULES: Final = ("configId", "dataType", "value")
"""Fields that decide whether the event of a score counts at all."""

_NOTHING: Final = object()


def condensed_patches(
    patches: PatchSet, keyed: Sequence[tuple[bytes, StoredEvent]], configs: Mapping[str, ScoreConfig]
) -> dict[bytes, bytes] | None:
    """The condensed patches, some with smaller bodies; None when that saves too little.

    `keyed` are the events of the patches, in order. Events of scores that break the rules of their config are left out:
    they do not count.
    """
    if len(patches.patches) < MANY:
        return None
    is_score = patches.key[1] == "score"
    if is_score:
        keyed = [(key, event) for key, event in keyed if broken_rule(event, configs) is None]
    left = _Left([event for _, event in keyed])
    if left.events:
        (_keep_of_score if is_score else _keep_of_observation)(left)
    condensed = {
        key: msgspec.json.encode(msgspec.structs.replace(event, body=left.bodies[number]))
        for number, (key, event) in enumerate(keyed)
        if number in left.bodies
    }
    return condensed if len(patches.patches) - len(condensed) >= _WORTHWHILE else None


@dataclass(slots=True)
class _Left:
    """Events in order, and the remaining fields of their bodies by the number of the event."""

    events: list[StoredEvent]
    bodies: dict[int, dict[str, Any]] = field(default_factory=dict)

    def keep(self, number: int, *names: str) -> None:
        """Keep an event with these of its fields, in addition to those that are kept already."""
        body = self.events[number].body
        self.bodies.setdefault(number, {}).update({name: body[name] for name in names if name in body})

    def keep_last(self, names: tuple[str, ...], counts: Callable[[StoredEvent], bool]) -> None:
        """Keep fields of the last event that counts."""
        last = next((number for number in range(len(self.events) - 1, -1, -1) if counts(self.events[number])), None)
        if last is not None:
            self.keep(last, *names)

    def keep_first(self, name: str, counts: Callable[[StoredEvent], bool]) -> None:
        """Keep a field of the first event that counts."""
        first = next((number for number, event in enumerate(self.events) if counts(event)), None)
        if first is not None:
            self.keep(first, name)


def _keep_of_observation(left: _Left) -> None:
    _keep_times(left)
    _keep_kind(left)
    _keep_usual(left, OBSERVATION_IMMUTABLE, _OBSERVATION_LAST)
    for name in ("input", "output"):
        left.keep_last((name,), partial(_is_truthy, name))
    for name in ("usageDetails", "costDetails"):
        left.keep_last(_MEASURES, partial(_measures, name))


def _keep_of_score(left: _Left) -> None:
    _keep_times(left)
    left.keep(len(left.events) - 1)  # its value counts
    _keep_usual(left, SCORE_IMMUTABLE, _SCORE_LAST)
    for number in left.bodies:
        left.keep(number, *_SCORE_RULES)


def _keep_times(left: _Left) -> None:
    """Keep the events that decide the start, and the first accepted one."""
    left.keep(0)
    left.keep(min(range(len(left.events)), key=lambda number: left.events[number].accepted_at))
    starts = {
        start: number
        for number, event in enumerate(left.events)
        if event.is_creation and (start := parse_iso(event.body.get("startTime"))) is not None
    }
    if starts:
        left.keep(starts[min(starts)], "startTime")


def _keep_kind(left: _Left) -> None:
    """Keep the event that decides the type: the first creation, or else the first update."""
    numbers = [number for number, event in enumerate(left.events) if kind_of(event) in OBSERVATION_TYPES]
    if numbers:
        left.keep(min(numbers, key=lambda number: not left.events[number].is_creation), "type")


def _keep_usual(left: _Left, first: frozenset[str], last: tuple[str, ...]) -> None:
    """Keep the first value of some fields, the last one of others, and the metadata that still counts."""
    for name in first:
        left.keep_first(name, partial(_is_truthy, name))
    for name in last:
        if name not in first:
            left.keep_last((name,), partial(_says, name))
    newer = _Newer()
    for number in range(len(left.events) - 1, -1, -1):
        metadata = left.events[number].body.get("metadata")
        if metadata is not None and (rest := _rest(as_object(metadata), newer)) is not _NOTHING:
            left.keep(number)
            left.bodies[number]["metadata"] = rest


def _says(name: str, event: StoredEvent) -> bool:
    """Whether a field counts: null does, an empty object or list does not."""
    value = event.body.get(name, _NOTHING)
    return value is not _NOTHING and not (isinstance(value, (dict, list)) and not value)


def _is_truthy(name: str, event: StoredEvent) -> bool:
    return is_truthy(event.body.get(name))


def _measures(name: str, event: StoredEvent) -> bool:
    return any(each in event.body for each in _MEASURES) and bool(measured(event).body[name])


@dataclass(slots=True)
class _Newer:
    """What later events set at one path of the metadata, as `deep_merge` reads it."""

    is_replaced: bool = False
    keys: dict[str, _Newer] | None = None
    items: list[_Newer] | None = None


def _rest(value: Any, newer: _Newer, depth: int = 0) -> Any:
    """What still counts of a value besides `newer` ones, or `_NOTHING`; adds the value to `newer`."""
    if newer.is_replaced:
        return _NOTHING
    if depth < MAX_DEPTH and isinstance(value, dict):
        is_first, newer.keys = newer.keys is None, newer.keys if newer.keys is not None else {}
        rests = {key: _rest(item, newer.keys.setdefault(key, _Newer()), depth + 1) for key, item in value.items()}
        left = {key: rest for key, rest in rests.items() if rest is not _NOTHING}
        return left if left or is_first else _NOTHING
    if depth < MAX_DEPTH and isinstance(value, list):
        is_first, newer.items = newer.items is None, newer.items if newer.items is not None else []
        newer.items += [_Newer() for _ in range(len(value) - len(newer.items))]
        rests_of_items = [_rest(item, later, depth + 1) for item, later in zip(value, newer.items, strict=False)]
        return value if is_first or any(rest is not _NOTHING for rest in rests_of_items) else _NOTHING
    newer.is_replaced = True
    return value
