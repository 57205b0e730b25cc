"""Organizations, projects and users, and what the first start creates of them (contract: server semantics 8.2)."""

from __future__ import annotations

import asyncio
import logging
import uuid
from dataclasses import dataclass
from typing import Any

from appliance.config import InitSettings
from appliance.storage.postgres.api_keys import KeyPair, hash_password, provision_key
from appliance.storage.postgres.pool import Connection, Postgres
from appliance.storage.postgres.statements import statements

log = logging.getLogger(__name__)

FIRST_ORGANIZATION = ("local", "Local")
FIRST_PROJECT = ("local-project", "My project")
_SQL = statements("tenants")


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


async def provision_settings(connection: Connection, init: InitSettings, salt: str) -> None:
    """Create what LANGFUSE_INIT_* asks for and leave alone what exists already."""
    if not init.org_id:
        if init.project_id or init.public_key or init.secret_key or init.user_email:
            log.warning("LANGFUSE_INIT_ORG_ID is not set, so the other LANGFUSE_INIT_* values are ignored")
        return
    await connection.execute(_SQL["insert_organization"], {"id": init.org_id, "name": init.org_name})
    if init.project_id:
        await _insert_project(
            connection, init.project_id, init.org_id, init.project_name, init.project_retention_days or None
        )
        if init.public_key and init.secret_key:
            await provision_key(connection, init.project_id, KeyPair(init.public_key, init.secret_key), salt)
    if init.user_email and init.user_password:
        await _insert_owner(connection, init)


async def provision_first_project(connection: Connection, pair: KeyPair, salt: str) -> None:
    """A first organization, project and key pair; called when no other set-up is asked for."""
    org_id, org_name = FIRST_ORGANIZATION
    project_id, project_name = FIRST_PROJECT
    await connection.execute(_SQL["insert_organization"], {"id": org_id, "name": org_name})
    await _insert_project(connection, project_id, org_id, project_name, None)
    await provision_key(connection, project_id, pair, salt)


async def has_project(connection: Connection) -> bool:
    """Whether any project exists."""
    return await (await connection.execute(_SQL["any_project"])).fetchone() is not None


async def _insert_project(
    connection: Connection, project_id: str, org_id: str, name: str, retention_days: int | None
) -> None:
    await connection.execute(
        _SQL["insert_project"], {"id": project_id, "org_id": org_id, "name": name, "retention_days": retention_days}
    )


async def _insert_owner(connection: Connection, init: InitSettings) -> None:
    email = init.user_email.lower()
    if await (await connection.execute(_SQL["user_by_email"], {"email": email})).fetchone() is None:
        password = await asyncio.to_thread(hash_password, init.user_password)
        user = {"id": uuid.uuid4().hex, "name": init.user_name, "email": email, "password": password}
        await connection.execute(_SQL["insert_user"], user)
    await connection.execute(_SQL["insert_owner"], {"id": uuid.uuid4().hex, "org_id": init.org_id, "email": email})
