"""Schema migrations of Postgres: numbered files, each applied once, in one transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from typing import Final, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from appliance.config import PostgresSettings
from appliance.errors import ConfigError, MigrationFailed
from appliance.storage.postgres.address import address_of
from appliance.storage.postgres.pool import Connection, translated_errors

MINIMUM_VERSION: Final = 14
"""Major version of the oldest Postgres that works."""

# Any constant will do, as long as all processes share it.
_LOCK: Final = 7_236_141_873
_CREATE_TABLE: Final = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    version integer PRIMARY KEY,
    name text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
)
"""


@dataclass(frozen=True, slots=True)
class PostgresMigration:
    """One file of the folder `migrations`."""

    version: int
    name: str
    sql: LiteralString


def known_migrations() -> list[PostgresMigration]:
    """All migrations that ship with this version, in order."""
    migrations = []
    for file in files(__package__).joinpath("migrations").iterdir():
        if file.name.endswith(".sql"):
            number, _, name = file.name.removesuffix(".sql").partition("_")
            migrations.append(PostgresMigration(int(number), name, file.read_text(encoding="utf-8")))
    return sorted(migrations, key=lambda migration: migration.version)


@asynccontextmanager
async def exclusive_connection(settings: PostgresSettings) -> AsyncIterator[Connection]:
    """A connection that holds the set-up lock; a second process waits for it.

    Raises StoreUnavailable, ConfigError, and MigrationFailed for a server that cannot be used.
    """
    address = address_of(settings, direct=True)
    if address.is_pooled:
        raise ConfigError(
            "Migrations cannot go through a pooler that changes servers between transactions.",
            hint="Set DIRECT_URL to the address of Postgres itself.",
        )
    with translated_errors():
        connection = await psycopg.AsyncConnection.connect(address.conninfo, autocommit=True, row_factory=dict_row)
        async with connection:
            await _require_usable(connection)
            await connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
            await _make_schema(connection, address.schema)
            yield connection


async def _require_usable(connection: Connection) -> None:
    """Raises MigrationFailed for a server that is too old, or that only follows another one."""
    version = connection.info.server_version
    if version // 10000 < MINIMUM_VERSION:
        raise MigrationFailed(
            f"Postgres {version // 10000}.{version % 10000} is too old; {MINIMUM_VERSION} or newer is needed.",
            hint="Upgrade the Postgres server.",
        )
    state = await (await connection.execute("SELECT pg_is_in_recovery() AS follows")).fetchone()
    if state and state["follows"]:
        raise MigrationFailed(
            "This Postgres only follows another one and cannot be written to.",
            hint="Set DATABASE_URL to the primary, or add target_session_attrs=read-write.",
        )


async def _make_schema(connection: Connection, name: str) -> None:
    """Create the schema of the address when it is missing; raises MigrationFailed."""
    cursor = await connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [name])
    if not name or await cursor.fetchone():  # even IF NOT EXISTS needs the right to create
        return
    try:
        await connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
    except psycopg.Error as error:
        text = str(error).strip().partition("\n")[0]
        raise MigrationFailed(
            f"The schema of DATABASE_URL cannot be created: {text}.", hint="Create it, or choose another schema=."
        ) from error


async def apply_migrations(connection: Connection) -> list[str]:
    """Apply what is missing and return the names; raises MigrationFailed, and the failed one is rolled back."""
    try:
        existing = await (await connection.execute("SELECT to_regclass('schema_migrations') AS list")).fetchone()
        if not existing or existing["list"] is None:  # even IF NOT EXISTS needs the right to create
            await connection.execute(_CREATE_TABLE)
    except psycopg.errors.InsufficientPrivilege as error:
        raise _denied(error) from error
    rows = await (await connection.execute("SELECT version FROM schema_migrations")).fetchall()
    applied = {row["version"] for row in rows}
    migrations = known_migrations()
    if unknown := applied - {migration.version for migration in migrations}:
        raise MigrationFailed(
            f"The database was made by a newer version (migration {max(unknown)}).",
            hint="Install that version again, or use another data directory.",
        )
    names = []
    for migration in migrations:
        if migration.version not in applied:
            await _apply(connection, migration)
            names.append(f"{migration.version:04d}_{migration.name}")
    return names


async def _apply(connection: Connection, migration: PostgresMigration) -> None:
    try:
        async with connection.transaction():
            await connection.execute(migration.sql)
            await connection.execute(
                "INSERT INTO schema_migrations (version, name) VALUES (%s, %s)", [migration.version, migration.name]
            )
    except psycopg.OperationalError:
        raise
    except psycopg.errors.InsufficientPrivilege as error:
        raise _denied(error) from error
    except psycopg.Error as error:
        name = f"{migration.version:04d}_{migration.name}"
        raise MigrationFailed(f"The Postgres migration {name} failed: {str(error).strip()}.") from error


def _denied(error: psycopg.Error) -> MigrationFailed:
    return MigrationFailed(
        f"This role may not change tables: {str(error).strip().partition(chr(10))[0]}.",
        hint="Give it the grants in docs/security.md, or set DIRECT_URL with a role that has them.",
    )
