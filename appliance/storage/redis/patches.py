"""What the legacy API said of one entity in the last half hour, kept so that updates in any order converge.

A patch may arrive before, after or together with the others of its entity, twice, and at several workers. Each writer
adds its patches and reads all of them in one transaction; the server's clock of that transaction is the version of the
row it writes, so the writer that saw more wins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from redis.asyncio import Redis

from appliance.storage.redis.client import translated_errors
from appliance.storage.redis.keys import key

KEPT_FOR_S = 30 * 60
_ENTITIES_PER_TRANSACTION = 128

EntityKey = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Patch:
    """One event about one entity."""

    project_id: str
    kind: Literal["observation", "score"]
    entity_id: str
    event_key: bytes
    """Identifies the event within its entity; the same event always has the same key."""
    body: bytes

    @property
    def key(self) -> EntityKey:
        return self.project_id, self.kind, self.entity_id


@dataclass(frozen=True, slots=True)
class PatchSet:
    """All patches of one entity, those just added included."""

    key: EntityKey
    """Project id, kind, entity id."""
    patches: dict[bytes, bytes]
    """Bodies by event key, in no order."""
    version_us: int
    """Microseconds since the epoch by the server's clock; later transactions have later ones."""
    is_first: bool
    """Whether nothing but the patches just added is known here: then the stored row is the base to start from."""


class Patches:
    """The patches of all entities."""

    def __init__(self, client: Redis) -> None:
        self._redis = client

    async def add(self, items: Sequence[Patch]) -> list[PatchSet]:
        """Add patches and return one set per entity they touch, in order of first appearance; StoreUnavailable."""
        by_entity: dict[EntityKey, dict[bytes, bytes]] = {}
        for item in items:
            by_entity.setdefault(item.key, {})[item.event_key] = item.body
        entities = list(by_entity.items())
        sets: list[PatchSet] = []
        for start in range(0, len(entities), _ENTITIES_PER_TRANSACTION):
            sets += await self._add_some(entities[start : start + _ENTITIES_PER_TRANSACTION])
        return sets

    async def _add_some(self, entities: list[tuple[EntityKey, dict[bytes, bytes]]]) -> list[PatchSet]:
        with translated_errors():
            async with self._redis.pipeline(transaction=True) as pipe:
                for entity, patches in entities:
                    name = key("patches", *entity)
                    mapping: dict[Any, Any] = dict(patches)
                    pipe.hset(name, mapping=mapping)
                    pipe.expire(name, KEPT_FOR_S)
                    pipe.hgetall(name)
                pipe.time()
                answers = await pipe.execute()
        seconds, micros = answers.pop()
        version = seconds * 1_000_000 + micros
        return [
            PatchSet(entity, known, version, known.keys() <= added.keys())
            for (entity, added), known in zip(entities, answers[2::3], strict=True)
        ]
