"""Score configs: created and changed, never deleted."""

from __future__ import annotations

import dataclasses
import logging
import uuid
from typing import Any

import msgspec
from psycopg.rows import DictRow

from appliance.model.score_configs import ScoreConfig
from appliance.storage.postgres.datasets import json_or_null
from appliance.storage.postgres.pool import Postgres
from appliance.storage.sql_files import load_blocks

log = logging.getLogger(__name__)

_SQL = load_blocks(__package__, "score_configs")


class _Category(msgspec.Struct):
    label: str
    value: float


class ScoreConfigs:
    """The score configs of all projects. Every method raises StoreUnavailable."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def create(
        self,
        project_id: str,
        *,
        name: str,
        data_type: str,
        min_value: float | None,
        max_value: float | None,
        categories: list[dict[str, Any]] | None,
        description: str | None,
    ) -> ScoreConfig:
        """A new config."""
        values = {
            "id": str(uuid.uuid4()),
            "project_id": project_id,
            "name": name,
            "data_type": data_type,
            "min_value": min_value,
            "max_value": max_value,
            "categories": json_or_null(categories),
            "description": description,
        }
        row = await self._postgres.row(_SQL["insert"], values)
        assert row is not None
        return config_of(row)

    async def get(self, project_id: str, config_id: str) -> ScoreConfig | None:
        """The config with this id, None when there is none."""
        row = await self._postgres.row(_SQL["by_id"], {"project_id": project_id, "id": config_id})
        return None if row is None else config_of(row)

    async def update(self, config: ScoreConfig) -> ScoreConfig | None:
        """Store a changed config; None when it is gone."""
        values = dataclasses.asdict(config) | {"categories": json_or_null(config.categories)}
        row = await self._postgres.row(_SQL["update"], values)
        return None if row is None else config_of(row)

    async def find(self, project_id: str, limit: int, offset: int) -> tuple[list[ScoreConfig], int]:
        """Configs, newest first, and how many there are in all."""
        rows, total = await self._postgres.page(_SQL["list"], {"project_id": project_id}, limit, offset)
        return [config_of(row) for row in rows], total


def config_of(row: DictRow) -> ScoreConfig:
    """The config of a row; categories in another form, from another program, are left out."""
    try:
        msgspec.convert(row["categories"], list[_Category] | None)
    except msgspec.ValidationError:
        log.warning("The categories of score config %s have another form than expected; they are left out.", row["id"])
        row = {**row, "categories": None}
    return ScoreConfig(**row)
