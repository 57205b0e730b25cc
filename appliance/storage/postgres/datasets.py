"""Datasets: created or changed by name."""

from __future__ import annotations

import uuid
from typing import Any

from psycopg.types.json import Json

from appliance.model.datasets import Dataset
from appliance.storage.postgres.pool import Postgres
from appliance.storage.sql_files import load_blocks

_SQL = load_blocks(__package__, "datasets")


class Datasets:
    """The datasets of all projects. Every method raises StoreUnavailable."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def put(
        self,
        project_id: str,
        name: str,
        *,
        description: str | None = None,
        metadata: Any = None,
        input_schema: Any = None,
        expected_output_schema: Any = None,
    ) -> Dataset:
        """Create the dataset, or change the fields of an existing one that are not None."""
        values = {
            "id": str(uuid.uuid4()),
            "project_id": project_id,
            "name": name,
            "description": description,
            "metadata": json_or_null(metadata),
            "input_schema": json_or_null(input_schema),
            "expected_output_schema": json_or_null(expected_output_schema),
        }
        row = await self._postgres.row(_SQL["upsert"], values)
        assert row is not None
        return Dataset(**row)

    async def get(self, project_id: str, name: str) -> Dataset | None:
        """The dataset of this name, None when there is none."""
        row = await self._postgres.row(_SQL["by_name"], {"project_id": project_id, "name": name})
        return None if row is None else Dataset(**row)

    async def exists(self, project_id: str, dataset_id: str) -> bool:
        """Whether the project has a dataset with this id."""
        return await self._postgres.row(_SQL["by_id"], {"project_id": project_id, "id": dataset_id}) is not None

    async def find(self, project_id: str, limit: int, offset: int) -> tuple[list[Dataset], int]:
        """Datasets, newest first, and how many there are in all."""
        rows, total = await self._postgres.page(_SQL["list"], {"project_id": project_id}, limit, offset)
        return [Dataset(**row) for row in rows], total

    async def run_names(self, project_id: str, dataset_id: str) -> list[str]:
        """Names of the dataset's runs, newest first."""
        rows = await self._postgres.rows(_SQL["run_names"], {"project_id": project_id, "dataset_id": dataset_id})
        return [row["name"] for row in rows]


def json_or_null(value: Any) -> Json | None:
    """A value for a json column; None becomes SQL's NULL."""
    return None if value is None else Json(value)
