"""Recent events of the legacy API by entity, kept for half an hour so that updates in any order converge.

A patch may arrive before, after or together with the others of its entity, twice, and at several workers. Each writer
adds its patches and reads all of them in one transaction; the server's clock of that transaction is the version of the
row it writes, so the writer that read more patches wins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from redis.asyncio import Redis

from appliance.model.patches import EntityKey, Patch, PatchSet
from appliance.storage.redis.client import translated_errors
from appliance.storage.redis.keys import key
from appliance.storage.redis.scripts import Argument, Script

KEPT_FOR_S = 30 * 60
SHORTEST_S = 30
"""Seconds for which patches are kept when Redis is nearly full; longer than the pause between a program's batches."""
_AMPLE, _SCARCE = 0.25, 0.6
_WITHOUT_LIMIT_BYTES = 1024**3
"""Memory at which a Redis without a limit of its own counts as full."""
_ENTITIES_PER_STEP = 128


class Patches:
    """The patches of all entities."""

    def __init__(self, client: Redis) -> None:
        self._redis = client
        self._script = Script(client, "add_patches")
        self._condense_script = Script(client, "condense_patches")
        self._kept_for_s = KEPT_FOR_S

    async def suit_memory(self) -> None:
        """Choose how long the next patches are kept, by how full Redis is; raises StoreUnavailable."""
        with translated_errors():
            memory: dict[str, int] = await self._redis.info("memory")
        self._kept_for_s = seconds_to_keep(memory["used_memory"] / (memory.get("maxmemory") or _WITHOUT_LIMIT_BYTES))

    async def add(self, items: Sequence[Patch]) -> list[PatchSet]:
        """Add patches and return the set of each entity, in order of first appearance; raises StoreUnavailable.

        Works when Redis is full too: see `add_patches.lua`.
        """
        by_entity: dict[EntityKey, dict[bytes, bytes]] = {}
        for item in items:
            by_entity.setdefault(item.key, {})[item.event_key] = item.body
        entities = list(by_entity.items())
        sets: list[PatchSet] = []
        for start in range(0, len(entities), _ENTITIES_PER_STEP):
            sets += await self._add_some(entities[start : start + _ENTITIES_PER_STEP])
        return sets

    async def condense(self, known: PatchSet, left: Mapping[bytes, bytes]) -> None:
        """Keep only `left` of the patches of a set, once its row is stored; raises StoreUnavailable.

        Patches that arrived meanwhile stay. Two workers may do it at once: each leaves the equivalent of all patches
        that it read.
        """
        gone = [event_key for event_key in known.patches if event_key not in left]
        changed = [pair for pair in left.items() if known.patches[pair[0]] != pair[1]]
        arguments: list[Argument] = [self._kept_for_s, len(gone), *gone, *(word for pair in changed for word in pair)]
        with translated_errors():
            await self._condense_script([key("patches", *known.key)], arguments)

    async def forget(self, entities: Sequence[EntityKey]) -> None:
        """Drop all patches of these entities; raises StoreUnavailable."""
        for start in range(0, len(entities), _ENTITIES_PER_STEP):
            with translated_errors():
                await self._redis.delete(
                    *(key("patches", *each) for each in entities[start : start + _ENTITIES_PER_STEP])
                )

    async def _add_some(self, entities: list[tuple[EntityKey, dict[bytes, bytes]]]) -> list[PatchSet]:
        names = [key("patches", *entity) for entity, _ in entities]
        arguments: list[Argument] = [self._kept_for_s]
        for _, patches in entities:
            arguments += [len(patches), *(word for patch in patches.items() for word in patch)]
        with translated_errors():
            sets, time = await self._script(names, arguments)
        return [_patch_set(entity, added, known, time) for (entity, added), known in zip(entities, sets, strict=True)]


def seconds_to_keep(used_share: float) -> int:
    """Seconds to keep patches, by the share (0 to 1) of Redis' memory in use: half an hour, less when memory is scarce.

    So a flood of updates cannot fill the memory that the queue needs. Updates after that merge with the stored row.
    """
    scarcity = min(max((used_share - _AMPLE) / (_SCARCE - _AMPLE), 0.0), 1.0)
    return max(SHORTEST_S, round(KEPT_FOR_S * (1 - scarcity)))


def _patch_set(entity: EntityKey, added: dict[bytes, bytes], known: list[bytes], time: list[bytes]) -> PatchSet:
    patches = dict(zip(known[::2], known[1::2], strict=True))
    version = int(time[0]) * 1_000_000 + int(time[1])
    return PatchSet(entity, patches, version, patches.keys() <= added.keys())
