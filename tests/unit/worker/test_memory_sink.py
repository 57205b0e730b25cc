"""A sink over fakes does what one over real stores does."""

from __future__ import annotations

import pytest

from appliance.model.observations import Observation
from appliance.model.scores import Score
from tests.fakes.sink import MemorySink, numeric_config
from tests.fakes.sink_contract import SinkContract


class InMemory(MemorySink):
    def __init__(self) -> None:
        super().__init__()
        self.pricing = self.lookups.pricing

    async def observations(self) -> list[Observation]:
        rows = await self.tables.observations({("p", id): None for id in self.tables.ids})
        assert len(rows) == len(self.tables.ids)
        return sorted(rows.values(), key=lambda row: row.id)

    async def scores(self) -> list[Score]:
        return list(self.tables.scored.values())

    async def parts(self) -> list[tuple[str, str]]:
        return sorted((part.id, part.part_id) for part in self.tables.parts.values())

    async def patches_of(self, kind: str, entity_id: str) -> int:
        return len(self.patches.kept["p", kind, entity_id])

    async def forget_patches(self) -> None:
        self.patches.kept.clear()

    async def add_prompt(self, name: str) -> str:
        return self.lookups.prompts.setdefault(("p", name, 1), f"prompt-{name}")

    async def add_config(self, most: float) -> str:
        self.lookups.configs["p", "c"] = numeric_config("c", most)
        return "c"

    async def media(self) -> dict[str, list[tuple[str, str]]]:
        return {
            id: [(use.observation_id, use.field) for use in self.media_store.uses if use.media_id == id]
            for id in self.media_store.kept
        }


class TestMemorySink(SinkContract):
    @pytest.fixture
    async def into(self) -> InMemory:
        return InMemory()
