"""Organizations, projects and users."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from appliance.storage.postgres.api_keys import hash_password
from appliance.storage.postgres.pool import Connection, Postgres
from appliance.storage.sql_files import load_blocks

_SQL = load_blocks(__package__, "tenants")


@dataclass(frozen=True, slots=True)
class Project:
    """A project and its organization."""

    id: str
    name: str
    organization_id: str
    organization_name: str
    retention_days: int | None
    metadata: dict[str, Any]


class Projects:
    """Reading projects."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def get(self, project_id: str) -> Project | None:
        """The project, None when it is gone; raises StoreUnavailable."""
        row = await self._postgres.row(_SQL["project"], {"id": project_id})
        if row is None:
            return None
        return Project(
            row["id"], row["name"], row["org_id"], row["org_name"], row["retention_days"], row["metadata"] or {}
        )

    async def ids(self) -> list[str]:
        """The projects that exist, oldest first; raises StoreUnavailable."""
        return [row["id"] for row in await self._postgres.rows(_SQL["project_ids"])]

    async def retention_days(self) -> dict[str, int]:
        """The days that traces are kept, by id, of the projects that limit them; raises StoreUnavailable."""
        return {row["id"]: row["retention_days"] for row in await self._postgres.rows(_SQL["projects_with_retention"])}

    async def mark_deleted(self, project_id: str) -> bool:
        """Withdraw a project and its keys; False when there is none. Raises StoreUnavailable."""
        async with self._postgres.transaction() as connection:
            marked = await connection.execute(_SQL["mark_project_deleted"], {"id": project_id})
            await connection.execute(_SQL["delete_project_keys"], {"id": project_id})
            return bool(marked.rowcount)

    async def withdrawn(self) -> list[str]:
        """The projects that are being deleted; raises StoreUnavailable."""
        return [row["id"] for row in await self._postgres.rows(_SQL["withdrawn_projects"])]

    async def began(self, project_id: str) -> datetime | None:
        """When the project was created, None when there is none; raises StoreUnavailable."""
        row = await self._postgres.row(_SQL["project_began"], {"id": project_id})
        return None if row is None else row["created_at"]

    async def delete(self, project_id: str) -> None:
        """Delete a withdrawn project with its prompts, datasets, models and configs; raises StoreUnavailable."""
        await self._postgres.execute(_SQL["delete_withdrawn"], {"id": project_id})


async def project_ids(connection: Connection) -> list[str]:
    """The projects that exist, oldest first."""
    return [row["id"] for row in await (await connection.execute(_SQL["project_ids"])).fetchall()]


async def insert_organization(connection: Connection, organization_id: str, name: str) -> None:
    """Creates an organization; one that exists stays as it is."""
    await connection.execute(_SQL["insert_organization"], {"id": organization_id, "name": name})


async def insert_project(connection: Connection, project_id: str, organization_id: str, name: str) -> None:
    """Creates a project; one that exists stays as it is, one that is being deleted is created again."""
    await connection.execute(_SQL["delete_withdrawn"], {"id": project_id})
    await connection.execute(
        _SQL["insert_project"],
        {"id": project_id, "org_id": organization_id, "name": name},
    )


async def set_retention(connection: Connection, project_id: str, days: int | None) -> None:
    """Changes how long a project keeps its traces; None is for ever."""
    await connection.execute(_SQL["set_retention"], {"id": project_id, "days": days})


async def insert_owner(connection: Connection, organization_id: str, email: str, name: str, password: str) -> None:
    """Creates a user unless the e-mail address exists, and makes the user an owner of the organization."""
    email = email.lower()
    if await (await connection.execute(_SQL["user_by_email"], {"email": email})).fetchone() is None:
        hashed = await asyncio.to_thread(hash_password, password)
        user = {"id": uuid.uuid4().hex, "name": name, "email": email, "password": hashed}
        await connection.execute(_SQL["insert_user"], user)
    owner = {"id": uuid.uuid4().hex, "org_id": organization_id, "email": email}
    await connection.execute(_SQL["insert_owner"], owner)
