"""Brings ClickHouse's tables up to date: numbered files, statement by statement, each safe to repeat."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources
from typing import Final

from appliance.config import ClickHouseSettings
from appliance.errors import MigrationFailed, StoreUnavailable
from appliance.storage.clickhouse.client import ClickHouse

MINIMUM_VERSION: Final = (26, 3)

_RECORD_TABLE: Final = """
CREATE TABLE IF NOT EXISTS schema_migrations
(
    version UInt32,
    name String,
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY version
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of the folder `migrations`, such as `0001_tracing.sql`."""

    version: int
    name: str
    statements: tuple[str, ...]


async def migrate(settings: ClickHouseSettings) -> list[str]:
    """Apply what is missing, oldest first, and return the names applied; the database is created when missing.

    The caller holds the migration lock (Postgres), because ClickHouse has none. An interrupted run is taken up again:
    every statement can be repeated, and a file is recorded after its last one.
    Raises MigrationFailed (also for a server that is too old) and StoreUnavailable.
    """
    await _prepare_database(settings)
    clickhouse = await ClickHouse.connect(settings)
    try:
        await clickhouse.command(_RECORD_TABLE)
        found: list[dict[str, int]] = await clickhouse.rows("SELECT version FROM schema_migrations", {}, dict)
        done = {row["version"] for row in found}
        applied = []
        for migration in load_migrations():
            if migration.version not in done:
                await _apply(clickhouse, migration)
                applied.append(migration.name)
        return applied
    finally:
        await clickhouse.close()


def load_migrations() -> list[Migration]:
    """All migrations that this package carries, oldest first."""
    folder = resources.files(__package__) / "migrations"
    files = [file for file in folder.iterdir() if file.name.endswith(".sql")]
    return [
        Migration(int(file.name[:4]), file.name.removesuffix(".sql"), split_statements(file.read_text("utf-8")))
        for file in sorted(files, key=lambda file: file.name)
    ]


def split_statements(text: str) -> tuple[str, ...]:
    """The statements of a file; each ends with a semicolon at the end of a line, and comments have their own lines."""
    kept = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))
    return tuple(part.strip() for part in re.split(r";[ \t]*(?:\n|$)", kept) if part.strip())


async def _prepare_database(settings: ClickHouseSettings) -> None:
    server = ClickHouse(settings, database="system")
    try:
        version = await server.version()
        found = tuple(int(part) for part in version.split(".")[:2])
        if found < MINIMUM_VERSION:
            wanted = ".".join(str(part) for part in MINIMUM_VERSION)
            raise MigrationFailed(
                f"ClickHouse {version} is too old; {wanted} or newer is needed.", hint="Upgrade the ClickHouse server."
            )
        exists: list[dict[str, int]] = await server.rows(
            "SELECT 1 AS one FROM system.databases WHERE name = {name:String}", {"name": settings.database}, dict
        )
        if not exists:
            await server.command("CREATE DATABASE IF NOT EXISTS {name:Identifier}", {"name": settings.database})
    finally:
        await server.close()


async def _apply(clickhouse: ClickHouse, migration: Migration) -> None:
    for number, statement in enumerate(migration.statements, 1):
        try:
            await clickhouse.command(statement)
        except StoreUnavailable as error:
            raise MigrationFailed(f"{migration.name}, statement {number}: {error.message}") from error
    await clickhouse.command(
        "INSERT INTO schema_migrations (version, name) SELECT {version:UInt32}, {name:String}",
        {"version": migration.version, "name": migration.name},
    )
