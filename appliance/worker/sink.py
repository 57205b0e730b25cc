"""Writes the rows of a batch, in the order that readers rely on."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from appliance.ingestion.legacy.aggregate import StoredEvent
from appliance.ingestion.legacy.condense import condensed_patches
from appliance.ingestion.legacy.merge import (
    began_after,
    broken_rule,
    keyed_events_of,
    merge_observation,
    merge_score,
)
from appliance.ingestion.process import Batch
from appliance.model.observations import Observation
from appliance.model.patches import PatchSet
from appliance.model.prompts import MAX_NAME_CHARS
from appliance.model.score_configs import ScoreConfig
from appliance.model.scores import Score
from appliance.worker.agents import Agents
from appliance.worker.contract import Lookups, MediaStore, PatchStore, RowWriter, StoredRows, Written
from appliance.worker.media import uses_of

log = logging.getLogger(__name__)

_MAX_ID_CHARS: Final = 100
"""Ids of score configs are shorter; longer ones are not looked up, so that they do not fill the cache."""

_Configs = Mapping[str, Mapping[str, ScoreConfig]]
"""Score configs by project and id."""
_Merged = tuple[list[Observation], list[Score], dict[str, int], list[tuple[PatchSet, dict[bytes, bytes]]]]
"""Rows, refused scores by entry, and what is left of long sets of patches once the rows are stored."""


@dataclass(frozen=True, slots=True)
class _Entity:
    """An observation or score with all its events, in order."""

    patches: PatchSet
    keyed: list[tuple[bytes, StoredEvent]]
    """The events, each with the key of its patch."""

    @property
    def project_id(self) -> str:
        return self.patches.key[0]

    @property
    def is_score(self) -> bool:
        return self.patches.key[1] == "score"

    @property
    def events(self) -> list[StoredEvent]:
        return [event for _, event in self.keyed]


class Sink:
    """Merges patches into rows and inserts everything: contents first, then the traces that show them."""

    def __init__(
        self,
        stored: StoredRows,
        writer: RowWriter,
        patches: PatchStore,
        lookups: Lookups,
        media: MediaStore,
    ) -> None:
        self._lookups = lookups
        self._media = media
        self._stored = stored
        self._agents = Agents(stored)
        self._writer = writer
        self._patches = patches

    async def write(self, batch: Batch) -> Written:
        """Write a batch; harmless to repeat.

        Raises StoreUnavailable, and Undecodable when ClickHouse refuses the content of a row.
        """
        observations, scores, refused, condensed = await self._merge(batch) if batch.patches else ([], [], {}, [])
        observations += await self._agents.decide(batch)
        await self._link_prompts(observations)
        if batch.media:
            uses = uses_of(observations, batch.parts, batch.media.keys())
            await self._media.keep(batch.media, uses)
        await self._writer.write(observations, scores, batch.parts)
        for patch_set, left in condensed:
            await self._patches.condense(patch_set, left)
        return Written(_changed_traces(batch, observations, scores), refused)

    async def _link_prompts(self, observations: Sequence[Observation]) -> None:
        named = [row for row in observations if _names_prompt(row)]
        keys = [(row.project_id, row.prompt_name, row.prompt_version) for row in named]
        ids = await self._lookups.prompt_ids(set(keys))
        for row, key in zip(named, keys, strict=True):
            row.prompt_id = ids.get(key, row.prompt_id)

    async def _merge(self, batch: Batch) -> _Merged:
        # Each event is decoded once: for its row, for the refused ones, and for what is left of the patches.
        entities = [_Entity(patches, keyed_events_of(patches)) for patches in await self._patches.add(batch.patches)]
        wanted: dict[str, dict[tuple[str, str], int | None]] = {"observation": {}, "score": {}}
        for entity in entities:
            project_id, kind, entity_id = entity.patches.key
            wanted[kind][project_id, entity_id] = began_after(entity.events)
        bases = await self._stored.observations(wanted["observation"])
        base_scores = await self._stored.scores(wanted["score"])
        configs = await self._configs_of(entities, base_scores.values())
        observations: list[Observation] = []
        scores: list[Score] = []
        for entity in entities:
            project_id, kind, entity_id = entity.patches.key
            if kind == "score":
                base_score = base_scores.get((project_id, entity_id))
                if score := merge_score(entity.patches, entity.events, base_score, configs.get(project_id, {})):
                    scores.append(score)
            else:
                base = bases.get((project_id, entity_id))
                observations += merge_observation(entity.patches, entity.events, base, self._lookups.pricing)
        condensed = [
            (entity.patches, left)
            for entity in entities
            if (left := condensed_patches(entity.patches, entity.keyed, configs.get(entity.project_id, {}))) is not None
        ]
        return observations, scores, _refused(batch, entities, configs), condensed

    async def _configs_of(self, entities: Sequence[_Entity], stored: Iterable[Score]) -> _Configs:
        """The configs that scores name."""
        wanted = {(score.project_id, score.config_id) for score in stored if score.config_id}
        for entity in entities:
            if entity.is_score:
                ids = {str(event.body.get("configId") or "") for event in entity.events}
                wanted |= {(entity.project_id, id) for id in ids if 0 < len(id) <= _MAX_ID_CHARS}
        configs: dict[str, dict[str, ScoreConfig]] = {}
        for (project_id, config_id), config in (await self._lookups.score_configs(wanted)).items():
            configs.setdefault(project_id, {})[config_id] = config
        return configs


def _names_prompt(row: Observation) -> bool:
    """Whether the prompt that the row names can exist; others are not looked up."""
    return 0 < len(row.prompt_name) <= MAX_NAME_CHARS and row.prompt_version > 0 and not row.is_deleted


def _refused(batch: Batch, entities: Iterable[_Entity], configs: _Configs) -> dict[str, int]:
    """How many scores of each entry break their config."""
    events = {
        (entity.patches.key, event_key): event
        for entity in entities
        if entity.is_score
        for event_key, event in entity.keyed
    }
    refused: Counter[str] = Counter()
    for patch in batch.patches:
        if patch.kind != "score":
            continue
        rule = broken_rule(events[patch.key, patch.event_key], configs.get(patch.project_id, {}))
        if rule is not None:
            log.warning("The score %s is not stored: %s", patch.entity_id, rule)
            refused[batch.score_entries[patch.key, patch.event_key]] += 1
    return dict(refused)


def _changed_traces(batch: Batch, observations: Sequence[Observation], scores: Sequence[Score]) -> dict[str, list[str]]:
    changed: dict[str, dict[str, None]] = {}
    for part in batch.parts:
        changed.setdefault(part.project_id, {})[part.id] = None
    named = [(row.project_id, row.trace_id) for row in observations] + [
        (row.project_id, row.trace_id) for row in scores
    ]
    for project_id, trace_id in named:
        if trace_id:
            changed.setdefault(project_id, {})[trace_id] = None
    return {project: list(ids) for project, ids in changed.items()}
