"""Prompt versions: created, labelled and deleted under a lock per prompt name."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import DictRow
from psycopg.types.json import Json

from appliance.errors import InvalidRequest
from appliance.model.prompts import LATEST, NewPrompt, Prompt, with_latest
from appliance.storage.postgres.pool import Connection, Postgres
from appliance.storage.sql_files import load_blocks

_SQL = load_blocks(__package__, "prompts")


@dataclass(frozen=True, slots=True)
class PromptSummary:
    """All versions of one name."""

    name: str
    type: str
    versions: list[int]
    labels: list[str]
    tags: list[str]
    last_updated_at: datetime
    last_config: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptQuery:
    """Which versions a list takes; None means any."""

    name: str | None = None
    label: str | None = None
    tag: str | None = None
    version: int | None = None
    from_updated_at: datetime | None = None
    to_updated_at: datetime | None = None


class Prompts:
    """The prompts of all projects. Every method raises StoreUnavailable."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def create(self, project_id: str, new: NewPrompt) -> Prompt:
        """A new version, one above the newest; takes its labels and `latest` from the others.

        Raises InvalidRequest when the earlier versions are of the other type.
        """
        key: dict[str, Any] = {"project_id": project_id, "name": new.name}
        async with self._postgres.transaction() as connection:
            await connection.execute(_SQL["lock"], key)
            newest = await (await connection.execute(_SQL["newest"], key)).fetchone()
            if newest is not None and newest["type"] != new.type:
                raise InvalidRequest(
                    "Previous versions have different prompt type. Create a new prompt with a different name."
                )
            tags = new.tags if new.tags is not None else newest["tags"] if newest else []
            values = {
                **key,
                "id": str(uuid.uuid4()),
                "version": newest["version"] + 1 if newest else 1,
                "type": new.type,
                "prompt": Json(new.prompt),
                "config": Json({} if new.config is None else new.config),
                "labels": with_latest(new.labels),
                "tags": list(dict.fromkeys(tags)),
                "commit_message": new.commit_message,
            }
            row = await (await connection.execute(_SQL["insert"], values)).fetchone()
            await connection.execute(_SQL["take_labels"], values)
            await connection.execute(_SQL["set_tags"], values)
        assert row is not None
        return _prompt(row)

    async def get(
        self, project_id: str, name: str, *, version: int | None = None, label: str | None = None
    ) -> Prompt | None:
        """The version with this number, or else with this label; None when there is none."""
        key = {"project_id": project_id, "name": name, "version": version, "label": label}
        row = await self._postgres.row(_SQL["by_label" if version is None else "by_version"], key)
        return None if row is None else _prompt(row)

    async def add_labels(self, project_id: str, name: str, version: int, labels: Sequence[str]) -> Prompt | None:
        """Give a version more labels, which other versions lose; None when there is no such version."""
        key: dict[str, Any] = {"project_id": project_id, "name": name, "version": version}
        async with self._postgres.transaction() as connection:
            await connection.execute(_SQL["lock"], key)
            row = await (await connection.execute(_SQL["by_version"], key)).fetchone()
            if row is None:
                return None
            await connection.execute(_SQL["take_labels"], {**key, "labels": list(labels)})
            merged = list(dict.fromkeys([*labels, *row["labels"]]))
            row = await (await connection.execute(_SQL["set_labels"], {**key, "labels": merged})).fetchone()
        return None if row is None else _prompt(row)

    async def delete(self, project_id: str, name: str, *, version: int | None = None, label: str | None = None) -> int:
        """Delete versions (all when neither is given) and return how many; `latest` moves to the newest left."""
        key = {"project_id": project_id, "name": name, "version": version, "label": label}
        async with self._postgres.transaction() as connection:
            await connection.execute(_SQL["lock"], key)
            gone = await (await connection.execute(_SQL["delete"], key)).fetchall()
            await _restore_latest(connection, project_id, name)
        return len(gone)

    async def find(
        self, project_id: str, query: PromptQuery, limit: int, offset: int
    ) -> tuple[list[PromptSummary], int]:
        """One summary per name, by name, and how many names there are in all."""
        params = {
            "project_id": project_id,
            "name": query.name,
            "label": query.label,
            "tag": query.tag,
            "version": query.version,
            "from_updated_at": query.from_updated_at,
            "to_updated_at": query.to_updated_at,
        }
        rows, total = await self._postgres.page(_SQL["list"], params, limit, offset)
        return [PromptSummary(**row) for row in rows], total


async def _restore_latest(connection: Connection, project_id: str, name: str) -> None:
    key: dict[str, Any] = {"project_id": project_id, "name": name}
    newest = await (await connection.execute(_SQL["newest"], key)).fetchone()
    if newest is not None and LATEST not in newest["labels"]:
        values = {**key, "version": newest["version"], "labels": [LATEST]}
        await connection.execute(_SQL["take_labels"], values)
        await connection.execute(_SQL["set_labels"], {**values, "labels": with_latest(newest["labels"])})


def _prompt(row: DictRow) -> Prompt:
    return Prompt(**row)
