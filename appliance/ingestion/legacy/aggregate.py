"""Aggregates the partial events of one entity, in whatever order they arrive (contract: server semantics 3.5).

Differences from the reference, on purpose: a start time that was sent beats an assumed one, and an update does not
change the type given at creation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from appliance.model.metadata import deep_merge

State = dict[str, Any]
"""Fields by their names in an event's body; a missing field was never sent."""


class StoredEvent(msgspec.Struct, frozen=True):
    """An event as it is stored in a patch."""

    id: str
    type: str
    time: int
    """Time of the event, microseconds since the epoch; events are ordered by it."""
    accepted_at: int
    """Microseconds since the epoch."""
    body: dict[str, Any]

    @property
    def is_creation(self) -> bool:
        """Whether the event creates the entity rather than changes it."""
        return self.type.endswith("-create")


def place_of(event: StoredEvent) -> tuple[int, bool, int, str]:
    """The sort key of events: time; at the same time creations first, then by acceptance."""
    return event.time, not event.is_creation, event.accepted_at, event.id


def aggregate(base: Mapping[str, Any], events: Iterable[StoredEvent], immutable: frozenset[str]) -> State:
    """The state after all events, in their order, on top of the stored one.

    A missing field and an empty object or list keep what was there; null erases it; the first value of an immutable
    field stays; metadata merges deeply; input and output are only replaced by what JavaScript calls true.
    """
    state: State = dict(base)
    for event in events:
        for key, value in event.body.items():
            if key in ("input", "output"):
                if is_truthy(value):
                    state[key] = value
            elif key == "metadata":
                if value is not None:
                    state[key] = deep_merge(state.get(key) or {}, as_object(value))
            elif value is None:
                if key not in immutable:
                    state[key] = None
            elif not (isinstance(value, (dict, list)) and not value) and not (key in immutable and state.get(key)):
                state[key] = value
    return state


def as_object(metadata: Any) -> dict[str, Any]:
    """Metadata as an object; any other value is put under the key `metadata`."""
    return metadata if isinstance(metadata, dict) else {"metadata": metadata}


def is_truthy(value: Any) -> bool:
    """Whether JavaScript would call the value true: empty objects and lists are, zero and empty text are not."""
    return isinstance(value, (dict, list)) or bool(value)
