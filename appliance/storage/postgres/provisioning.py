"""What a start creates: the organization, project, keys and user of LANGFUSE_INIT_*, or a first project of its own.

As the reference server does (contract: server semantics 8.2), with two additions: what LANGFUSE_INIT_* leaves out is
taken from the stored rows, and every move of a key to another project is reported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

from appliance.config import FIRST_ORGANIZATION, FIRST_PROJECT, InitSettings
from appliance.model.key_pair import KeyPair, new_key_pair
from appliance.storage.postgres.api_keys import (
    accepts_key,
    project_of_key,
    provision_key,
    renew_hashes,
)
from appliance.storage.postgres.pool import Connection
from appliance.storage.postgres.tenants import (
    insert_organization,
    insert_owner,
    insert_project,
    project_ids,
    set_retention,
)

_ORGANIZATION_NAME = "Local"
_PROJECT_NAME = "My project"


async def provision(
    connection: Connection, init: InitSettings, stored: KeyPair | None, salt: str, report: Callable[[str], None]
) -> KeyPair | None:
    """Create what LANGFUSE_INIT_* asks for and what is missing, and leave alone what exists.

    `stored` is the pair that the data directory knows; a key moves to another project only when LANGFUSE_INIT_* names
    both. Returns the pair to go on with: its secret is empty when only the database knows it, and there is none for a
    database that others set up.
    """
    existing = await project_ids(connection)
    organization_id = await _organization(connection, init)
    if init.project_id:
        await insert_project(connection, init.project_id, organization_id, init.project_name)
    if init.user_email and init.user_password:
        await insert_owner(connection, organization_id, init.user_email, init.user_name, init.user_password)
    configured = KeyPair(init.public_key, init.secret_key) if init.public_key and init.secret_key else None
    if configured is None and stored is None and existing:
        return None
    home = await project_of_key(connection, stored.public_key) if stored else None
    pair = configured or stored or new_key_pair()
    place = home if pair == stored else await project_of_key(connection, pair.public_key)
    if place is None:
        place = init.project_id or home or await _only_project(connection, init, existing, organization_id, report)
        await provision_key(connection, place, pair, salt)
    elif init.project_id and init.project_id != place:
        place = await _settle(connection, init, pair, place, salt, report, may_move=configured is not None)
    if init.project_retention_days >= 0:
        await set_retention(connection, place, init.project_retention_days or None)
    await renew_hashes(connection, pair, salt)
    if configured is not None and not await accepts_key(connection, configured, salt):
        report(
            f"Warning: {configured.public_key} exists with another secret key, which stays valid; "
            "LANGFUSE_INIT_PROJECT_SECRET_KEY is ignored. Use another public key, or the first secret key."
        )
        return stored if stored is not None and home is not None else KeyPair(configured.public_key, "")
    if home is not None and home != place and pair != stored:
        report(
            f"Warning: the keys are those of project {place} now, before they were those of {home}. "
            f"What {home} holds shows again with LANGFUSE_INIT_PROJECT_ID={home} and keys of its own."
        )
    return pair


async def _organization(connection: Connection, init: InitSettings) -> str:
    """The id of the organization for whatever is created; made when LANGFUSE_INIT_* names it or something in it."""
    if init.org_id:
        await insert_organization(connection, init.org_id, init.org_name)
        return init.org_id
    if init.project_id or init.user_email:
        await insert_organization(connection, FIRST_ORGANIZATION, _name(init, "org_name", _ORGANIZATION_NAME))
    return FIRST_ORGANIZATION


async def _only_project(
    connection: Connection,
    init: InitSettings,
    existing: list[str],
    organization_id: str,
    report: Callable[[str], None],
) -> str:
    """The project for a new key when LANGFUSE_INIT_PROJECT_ID names none: the only one that exists, or a first."""
    if len(existing) == 1:
        return existing[0]
    if existing:
        report(
            f"Warning: this database has {len(existing)} projects and none has these keys, so they are for "
            f"{FIRST_PROJECT}. For another one, set LANGFUSE_INIT_PROJECT_ID: {', '.join(existing[:10])}."
        )
    if organization_id == FIRST_ORGANIZATION:
        await insert_organization(connection, organization_id, _name(init, "org_name", _ORGANIZATION_NAME))
    await insert_project(connection, FIRST_PROJECT, organization_id, _name(init, "project_name", _PROJECT_NAME))
    return FIRST_PROJECT


async def _settle(
    connection: Connection,
    init: InitSettings,
    pair: KeyPair,
    place: str,
    salt: str,
    report: Callable[[str], None],
    *,
    may_move: bool,
) -> str:
    """Move a key to the named project, or say why it stays; the project that it belongs to then."""
    if not may_move:
        report(
            f"Warning: the stored key {pair.public_key} belongs to project {place} and stays there, though "
            f"LANGFUSE_INIT_PROJECT_ID is {init.project_id}. For a key of that project, set "
            "LANGFUSE_INIT_PROJECT_PUBLIC_KEY and LANGFUSE_INIT_PROJECT_SECRET_KEY too."
        )
        return place
    await provision_key(connection, init.project_id, pair, salt)
    report(
        f"Warning: {pair.public_key} has moved from project {place} to {init.project_id}, as LANGFUSE_INIT_* says. "
        f"What {place} holds shows again with LANGFUSE_INIT_PROJECT_ID={place}."
    )
    return init.project_id


def _name(init: InitSettings, setting: str, own: str) -> str:
    """A name as it was set, `own` where it has its default."""
    default = next(field.default for field in fields(InitSettings) if field.name == setting)
    value: str = getattr(init, setting)
    return own if value == default else value
