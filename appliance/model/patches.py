"""Patches: events of the legacy API about one observation or score, kept until no more of them are expected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

EntityKey = tuple[str, str, str]
"""Project id, kind, entity id."""


@dataclass(frozen=True, slots=True)
class Patch:
    """One event about one entity."""

    project_id: str
    kind: Literal["observation", "score"]
    entity_id: str
    event_key: bytes
    """Key of the event within its entity; the same event always has the same key."""
    body: bytes

    @property
    def key(self) -> EntityKey:
        return self.project_id, self.kind, self.entity_id


@dataclass(frozen=True, slots=True)
class PatchSet:
    """All patches of one entity, those just added included."""

    key: EntityKey
    patches: dict[bytes, bytes]
    """Bodies by event key, in no order."""
    version_us: int
    """Microseconds since the epoch by the server's clock; later transactions have later ones."""
    is_first: bool
    """Whether there are no patches besides those just added, so that the stored row is the base."""
