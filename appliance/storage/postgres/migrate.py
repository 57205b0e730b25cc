"""Schema migrations of Postgres: numbered files, each applied once, in one transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from typing import Final, LiteralString

import psycopg
from psycopg.rows import dict_row

from appliance.config import PostgresSettings
from appliance.errors import ConfigError, MigrationFailed
from appliance.storage.postgres.pool import Connection, translated_errors

# Any constant will do, as long as all processes use the same.
_LOCK: Final = 7_236_141_873
_CREATE_TABLE: Final = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    version integer PRIMARY KEY,
    name text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
)
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of the folder `migrations`."""

    version: int
    name: str
    sql: LiteralString


def known_migrations() -> list[Migration]:
    """All migrations that ship with this version, in order."""
    found = []
    for file in files(__package__).joinpath("migrations").iterdir():
        if file.name.endswith(".sql"):
            number, _, name = file.name.removesuffix(".sql").partition("_")
            found.append(Migration(int(number), name, file.read_text(encoding="utf-8")))
    return sorted(found, key=lambda migration: migration.version)


@asynccontextmanager
async def exclusive_connection(settings: PostgresSettings) -> AsyncIterator[Connection]:
    """A connection that holds the set-up lock: a second starter waits here. Raises StoreUnavailable, ConfigError."""
    if not settings.url:
        raise ConfigError("There is no address of Postgres.", hint="Set DATABASE_URL.")
    with translated_errors():
        connection = await psycopg.AsyncConnection.connect(
            settings.url, autocommit=True, row_factory=dict_row, connect_timeout=5, options="-c timezone=UTC"
        )
        async with connection:
            await connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
            yield connection


async def apply_migrations(connection: Connection) -> list[str]:
    """Apply what is missing and return the names; raises MigrationFailed, with nothing of the failed one kept."""
    await connection.execute(_CREATE_TABLE)
    rows = await (await connection.execute("SELECT version FROM schema_migrations")).fetchall()
    applied = {row["version"] for row in rows}
    known = known_migrations()
    if unknown := applied - {migration.version for migration in known}:
        raise MigrationFailed(
            f"The database was made by a newer version (migration {max(unknown)}).",
            hint="Install that version again, or use another data directory.",
        )
    names = []
    for migration in known:
        if migration.version not in applied:
            await _apply(connection, migration)
            names.append(f"{migration.version:04d}_{migration.name}")
    return names


async def _apply(connection: Connection, migration: Migration) -> None:
    try:
        async with connection.transaction():
            await connection.execute(migration.sql)
            await connection.execute(
                "INSERT INTO schema_migrations (version, name) VALUES (%s, %s)", [migration.version, migration.name]
            )
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        name = f"{migration.version:04d}_{migration.name}"
        raise MigrationFailed(f"The Postgres migration {name} failed: {str(error).strip()}.") from error
