"""Dataset items: every write adds a version, so that readers can ask for the state at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import DictRow

from appliance.errors import Conflict
from appliance.model.datasets import Dataset, DatasetItem
from appliance.storage.postgres.datasets import json_or_null
from appliance.storage.postgres.pool import Postgres
from appliance.storage.sql_files import load_blocks

_SQL = load_blocks(__package__, "dataset_items")
_FIELDS = tuple(DatasetItem.__dataclass_fields__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemDraft:
    """The fields of an item to write; None keeps the present value."""

    id: str
    input: Any = None
    expected_output: Any = None
    metadata: Any = None
    source_trace_id: str | None = None
    source_observation_id: str | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemQuery:
    """Which active items a list takes; None means any."""

    dataset_id: str | None = None
    source_trace_id: str | None = None
    source_observation_id: str | None = None
    version: datetime | None = None
    """The state at this time; None for the present one."""


class DatasetItems:
    """The items of all projects. Every method raises StoreUnavailable."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def put(self, project_id: str, dataset: Dataset, draft: ItemDraft) -> DatasetItem:
        """Create the item, or add a version that keeps what `draft` leaves out.

        Raises Conflict when the id belongs to an item of another dataset.
        """
        key: dict[str, Any] = {"project_id": project_id, "id": draft.id, "dataset_id": dataset.id}
        async with self._postgres.transaction() as connection:
            await connection.execute(_SQL["lock"], key)
            await connection.execute(_SQL["lock_item"], key)
            old = await (await connection.execute(_SQL["current"], key)).fetchone()
            if old is not None and old["dataset_id"] != dataset.id:
                raise Conflict(f"Dataset item {draft.id} belongs to another dataset")
            moment = await (await connection.execute(_SQL["next_valid_from"], key)).fetchone()
            assert moment is not None
            await connection.execute(_SQL["close"], {**key, **moment})
            values = {**key, **moment, **_merged(old, draft), "created_at": (old or {"created_at": None})["created_at"]}
            values["created_at"] = values["created_at"] or moment["valid_from"]
            row = await (await connection.execute(_SQL["insert"], values)).fetchone()
        assert row is not None
        return _item({**row, "dataset_name": dataset.name})

    async def get(self, project_id: str, item_id: str) -> DatasetItem | None:
        """The present version, archived or not; None when there is none."""
        row = await self._postgres.row(_SQL["current"], {"project_id": project_id, "id": item_id})
        return None if row is None else _item(row)

    async def active(self, project_id: str, item_id: str, version: datetime | None = None) -> DatasetItem | None:
        """The version at this time, or the present one; None when there is none, or it is archived."""
        row = await self._postgres.row(_SQL["active"], {"project_id": project_id, "id": item_id, "version": version})
        return None if row is None else _item(row)

    async def delete(self, project_id: str, item_id: str) -> bool:
        """End the item's last version; returns whether there was one."""
        async with self._postgres.transaction() as connection:
            key: dict[str, Any] = {"project_id": project_id, "id": item_id}
            old = await (await connection.execute(_SQL["current"], key)).fetchone()
            if old is None:
                return False
            key["dataset_id"] = old["dataset_id"]
            await connection.execute(_SQL["lock"], key)
            moment = await (await connection.execute(_SQL["next_valid_from"], key)).fetchone()
            assert moment is not None
            closed = await (await connection.execute(_SQL["close"], {**key, **moment})).fetchall()
        return bool(closed)

    async def find(self, project_id: str, query: ItemQuery, limit: int, offset: int) -> tuple[list[DatasetItem], int]:
        """Active items, newest first, and how many there are in all."""
        params = {
            "project_id": project_id,
            "dataset_id": query.dataset_id,
            "source_trace_id": query.source_trace_id,
            "source_observation_id": query.source_observation_id,
            "version": query.version,
        }
        rows, total = await self._postgres.page(_SQL["list"], params, limit, offset)
        return [_item(row) for row in rows], total


def _merged(old: DictRow | None, draft: ItemDraft) -> dict[str, Any]:
    before = old or {}

    def pick(name: str) -> Any:
        value = getattr(draft, name)
        return before.get(name) if value is None else value

    texts = {name: pick(name) for name in ("source_trace_id", "source_observation_id")}
    values = {name: json_or_null(pick(name)) for name in ("input", "expected_output", "metadata")}
    return {**texts, **values, "status": pick("status") or "ACTIVE"}


def _item(row: DictRow) -> DatasetItem:
    return DatasetItem(**{name: row[name] for name in _FIELDS})
