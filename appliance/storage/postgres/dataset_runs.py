"""Dataset runs and their items: a run is created by its first item."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from appliance.model.datasets import DatasetRun, DatasetRunItem
from appliance.storage.postgres.datasets import json_or_null
from appliance.storage.postgres.pool import Connection, Postgres
from appliance.storage.sql_files import load_blocks

_SQL = load_blocks(__package__, "dataset_runs")
_ALL = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RunItemDraft:
    """An item to add to a run, with the fields of the run in case it is created."""

    dataset_id: str
    run_id: str
    """Used only when the run is created."""
    run_name: str
    run_description: str | None = None
    run_metadata: Any = None
    dataset_item_id: str
    trace_id: str
    observation_id: str | None = None
    created_at: datetime | None = None
    """None for the present time."""


class DatasetRuns:
    """The runs of all projects. Every method raises StoreUnavailable."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def add_item(self, project_id: str, draft: RunItemDraft) -> DatasetRunItem:
        """Add an item to the run of that name, which is created when there is none and else stays as it is."""
        values = {
            "id": str(uuid.uuid4()),
            "project_id": project_id,
            "dataset_item_id": draft.dataset_item_id,
            "trace_id": draft.trace_id,
            "observation_id": draft.observation_id,
            "created_at": draft.created_at,
        }
        async with self._postgres.transaction() as connection:
            values["dataset_run_id"] = await _run_id(connection, project_id, draft)
            row = await (await connection.execute(_SQL["insert_item"], values)).fetchone()
        assert row is not None
        return DatasetRunItem(**row)

    async def get(self, project_id: str, dataset_name: str, name: str) -> DatasetRun | None:
        """The run of this name, None when there is none."""
        key = {"project_id": project_id, "dataset_name": dataset_name, "name": name}
        row = await self._postgres.row(_SQL["by_name"], key)
        return None if row is None else DatasetRun(**row)

    async def get_by_dataset_id(self, project_id: str, dataset_id: str, name: str) -> DatasetRun | None:
        """As `get`, by the id of the dataset."""
        key = {"project_id": project_id, "dataset_id": dataset_id, "name": name}
        row = await self._postgres.row(_SQL["by_dataset"], key)
        return None if row is None else DatasetRun(**row)

    async def find(self, project_id: str, dataset_id: str, limit: int, offset: int) -> tuple[list[DatasetRun], int]:
        """Runs of a dataset, newest first, and how many there are in all."""
        key = {"project_id": project_id, "dataset_id": dataset_id}
        rows, total = await self._postgres.page(_SQL["list"], key, limit, offset)
        return [DatasetRun(**row) for row in rows], total

    async def items(self, run: DatasetRun, limit: int = _ALL, offset: int = 0) -> tuple[list[DatasetRunItem], int]:
        """Items of a run, newest first, and how many there are in all."""
        key = {"project_id": run.project_id, "dataset_run_id": run.id}
        rows, total = await self._postgres.page(_SQL["items"], key, limit, offset)
        return [DatasetRunItem(**row) for row in rows], total

    async def delete(self, run: DatasetRun) -> bool:
        """Delete a run with its items; returns whether it was there."""
        return bool(await self._postgres.execute(_SQL["delete"], {"project_id": run.project_id, "id": run.id}))


async def _run_id(connection: Connection, project_id: str, draft: RunItemDraft) -> str:
    """The id of the run, which nobody can delete until the transaction ends."""
    values = {
        "id": draft.run_id,
        "project_id": project_id,
        "dataset_id": draft.dataset_id,
        "name": draft.run_name,
        "description": draft.run_description,
        "metadata": json_or_null(draft.run_metadata),
        "created_at": draft.created_at,
    }
    while True:
        await connection.execute(_SQL["insert_run"], values)
        row = await (await connection.execute(_SQL["lock_run"], values)).fetchone()
        if row is not None:
            return str(row["id"])
        values["id"] = str(uuid.uuid4())  # the run was deleted between the two statements, or another one has the id
