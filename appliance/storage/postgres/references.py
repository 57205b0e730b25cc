"""Prompts and score configs that incoming data refers to, and counters of their changes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from appliance.model.score_configs import ScoreConfig
from appliance.storage.postgres.pool import Postgres
from appliance.storage.postgres.score_configs import config_of
from appliance.storage.sql_files import load_blocks

_SQL = load_blocks(__package__, "references")
_NUL: Final = "\0"
"""Postgres refuses texts with it; keys that hold one cannot exist and are left out of queries."""

PromptKey = tuple[str, str, int]
"""Project, name and version."""
ConfigKey = tuple[str, str]
"""Project and id."""


class References:
    """Lookups in bulk, for the worker. Every method raises StoreUnavailable."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def changes(self) -> dict[str, int]:
        """A number for `models`, `prompts` and `score_configs` that grows with every change that is committed."""
        return {row["noun"]: row["number"] for row in await self._postgres.rows(_SQL["changes"])}

    async def prompt_ids(self, keys: Collection[PromptKey]) -> dict[PromptKey, str]:
        """The ids of those prompts that exist."""
        possible = [key for key in keys if _NUL not in key[1]]
        params = {
            "projects": [project_id for project_id, _, _ in possible],
            "names": [name for _, name, _ in possible],
            "versions": [version for _, _, version in possible],
        }
        rows = await self._postgres.rows(_SQL["prompt_ids"], params)
        return {(row["project_id"], row["name"], row["version"]): row["id"] for row in rows}

    async def score_configs(self, keys: Collection[ConfigKey]) -> dict[ConfigKey, ScoreConfig]:
        """Those score configs that exist."""
        possible = [key for key in keys if _NUL not in key[1]]
        params = {"projects": [project_id for project_id, _ in possible], "ids": [id for _, id in possible]}
        rows = await self._postgres.rows(_SQL["score_configs"], params)
        return {(row["project_id"], row["id"]): config_of(row) for row in rows}
