"""The models of projects: created and deleted, never changed (contract: server semantics 6.11)."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from psycopg.rows import DictRow

from appliance.model.pricing import ModelDefinition, PricingTier
from appliance.model.times import micros_of, moment_of
from appliance.storage.postgres.datasets import json_or_null
from appliance.storage.postgres.pool import Postgres
from appliance.storage.sql_files import load_blocks

log = logging.getLogger(__name__)

_SQL = load_blocks(__package__, "models")


class Models:
    """The models of all projects, without the built-in ones. Every method raises StoreUnavailable."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def create(self, model: ModelDefinition) -> ModelDefinition | None:
        """The model as stored; None when the project has one of the same name, start date and unit."""
        tiers = json.loads(msgspec.json.encode(model.pricing_tiers))
        values: dict[str, Any] = {
            "id": model.id,
            "project_id": model.project_id,
            "model_name": model.model_name,
            "match_pattern": model.match_pattern,
            "start_date": None if model.start_date is None else moment_of(model.start_date),
            "unit": model.unit,
            "tokenizer_id": model.tokenizer_id,
            "tokenizer_config": json_or_null(model.tokenizer_config),
            "pricing_tiers": json_or_null(tiers),
        }
        row = await self._postgres.row(_SQL["insert"], values)
        return None if row is None else _model(row)

    async def get(self, project_id: str, model_id: str) -> ModelDefinition | None:
        """The project's model with this id, None when there is none."""
        row = await self._postgres.row(_SQL["by_id"], {"project_id": project_id, "id": model_id})
        return None if row is None else next(_models([row]), None)

    async def of_project(self, project_id: str) -> list[ModelDefinition]:
        """All models of a project that can be read, in no order."""
        return list(_models(await self._postgres.rows(_SQL["by_project"], {"project_id": project_id})))

    async def of_all_projects(self) -> list[ModelDefinition]:
        """All models of all projects that can be read, in no order."""
        return list(_models(await self._postgres.rows(_SQL["all"])))

    async def delete(self, project_id: str, model_id: str) -> bool:
        """Delete a model of the project; returns whether it existed."""
        return await self._postgres.execute(_SQL["delete"], {"project_id": project_id, "id": model_id}) > 0


def _models(rows: Iterable[DictRow]) -> Iterator[ModelDefinition]:
    for row in rows:
        try:
            yield _model(row)
        except msgspec.ValidationError:
            log.warning("The prices of model %s have another form than expected; it is left out.", row["id"])


def _model(row: DictRow) -> ModelDefinition:
    return ModelDefinition(
        id=row["id"],
        model_name=row["model_name"],
        match_pattern=row["match_pattern"],
        pricing_tiers=msgspec.convert(row["pricing_tiers"], tuple[PricingTier, ...]),
        project_id=row["project_id"],
        start_date=None if row["start_date"] is None else micros_of(row["start_date"]),
        created_at=micros_of(row["created_at"]),
        unit=row["unit"],
        tokenizer_id=row["tokenizer_id"],
        tokenizer_config=row["tokenizer_config"],
    )
