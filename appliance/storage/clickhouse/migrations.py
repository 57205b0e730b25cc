"""Brings ClickHouse's tables up to date: numbered files, statement by statement, each safe to repeat."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final
from urllib.parse import unquote, urlsplit, urlunsplit

from clickhouse_connect.driver.exceptions import DatabaseError

from appliance.config import ClickHouseSettings
from appliance.errors import ApplianceError, MigrationFailed, StoreUnavailable
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.cluster import Cluster, on_cluster, view_names

MINIMUM_VERSION: Final = (26, 3)

# Codes of ClickHouse's error table.
_ACCESS_DENIED: Final = 497
_NO_CLUSTER: Final = frozenset({139, 170, 392, 701})

# Filling a new table from a large one takes long, and a repetition would take as long again.
_STATEMENT_S: Final = 24 * 3600
_PATIENT: Final[dict[str, Any]] = {"max_execution_time": 0}

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
class ClickHouseMigration:
    """One file of the folder `migrations`, such as `0001_tracing.sql`."""

    version: int
    name: str
    statements: tuple[str, ...]


async def migrate(settings: ClickHouseSettings, report: Callable[[str], None] = lambda step: None) -> list[str]:
    """Apply what is missing, oldest first, and return the names applied; the database is created when missing.

    A statement may take a day; `report` gets the name of each migration before it begins.
    The caller holds the migration lock in Postgres, as ClickHouse has none. An interrupted run can be repeated: every
    statement is safe to repeat, and a file is recorded after its last one.
    Raises MigrationFailed (also for a server that is too old, tables that are too new, or a user who may not do it) and
    StoreUnavailable.
    """
    chosen = dataclasses.replace(migrating(settings), request_timeout_s=_STATEMENT_S)
    await _prepare_database(chosen)
    clickhouse = await ClickHouse.connect(chosen)
    try:
        if not await _has_tables(clickhouse):  # even IF NOT EXISTS needs the right to create
            await _run(clickhouse, (_RECORD_TABLE.strip(),), "the list of migrations")
        rows: list[dict[str, int]] = await clickhouse.rows("SELECT version FROM schema_migrations", {}, dict)
        done = {row["version"] for row in rows}
        migrations = load_migrations()
        if unknown := done - {migration.version for migration in migrations}:
            raise MigrationFailed(
                f"The tables in ClickHouse were made by a newer version (migration {max(unknown)}).",
                hint="Install that version again, or use another data directory.",
            )
        applied = []
        for migration in migrations:
            if migration.version not in done:
                report(f"ClickHouse: {migration.name}")
                await _apply(clickhouse, migration)
                applied.append(migration.name)
        return applied
    finally:
        await clickhouse.close()


def migrating(settings: ClickHouseSettings) -> ClickHouseSettings:
    """The settings for migrations: with the login of `CLICKHOUSE_MIGRATION_URL`, when it is an HTTP address."""
    address = urlsplit(settings.migration_url)
    if address.scheme not in ("http", "https"):
        return settings
    return dataclasses.replace(
        settings,
        url=urlunsplit((address.scheme, address.netloc.rpartition("@")[2], address.path, "", "")),
        user=unquote(address.username) if address.username else settings.user,
        password=unquote(address.password) if address.password else settings.password,
    )


def load_migrations() -> list[ClickHouseMigration]:
    """All migrations that this package carries, oldest first."""
    folder = resources.files(__package__) / "migrations"
    files = [file for file in folder.iterdir() if file.name.endswith(".sql")]
    return [
        ClickHouseMigration(
            int(file.name[:4]), file.name.removesuffix(".sql"), split_statements(file.read_text("utf-8"))
        )
        for file in sorted(files, key=lambda file: file.name)
    ]


def split_statements(text: str) -> tuple[str, ...]:
    """The statements of a file; each ends with a semicolon at the end of a line; comments have lines of their own."""
    kept = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))
    return tuple(part.strip() for part in re.split(r";[ \t]*(?:\n|$)", kept) if part.strip())


def cluster_statements(name: str, database: str) -> list[tuple[str, tuple[str, ...]]]:
    """All statements for a cluster, by migration; the first creates the list of applied migrations."""
    migrations = load_migrations()
    known = Cluster(name, database, view_names(sql for migration in migrations for sql in migration.statements))
    record = ClickHouseMigration(0, "0000_schema_migrations", (_RECORD_TABLE.strip(),))
    return [
        (migration.name, tuple(each for sql in migration.statements for each in known.statements(sql)))
        for migration in [record, *migrations]
    ]


async def _prepare_database(settings: ClickHouseSettings) -> None:
    server = ClickHouse(settings, database="system")
    try:
        await _require_version(server)
        exists: list[dict[str, int]] = await server.rows(
            "SELECT 1 AS one FROM system.databases WHERE name = {name:String}", {"name": settings.database}, dict
        )
        if not exists or settings.cluster_enabled:  # another server of the cluster may lack it
            everywhere = f" {on_cluster(settings.cluster_name)}" if settings.cluster_enabled else ""
            await server.command(
                f"CREATE DATABASE IF NOT EXISTS {{name:Identifier}}{everywhere}",
                {"name": settings.database},
                as_given=True,
            )
    except (StoreUnavailable, DatabaseError) as error:
        raise _explained(error, "the database") from error
    finally:
        await server.close()


async def _require_version(server: ClickHouse) -> None:
    version = await server.version()
    numbers = tuple(int(part) for part in version.split(".")[:2])
    if numbers < MINIMUM_VERSION:
        wanted = ".".join(str(part) for part in MINIMUM_VERSION)
        raise MigrationFailed(
            f"ClickHouse {version} is too old; {wanted} or newer is needed.", hint="Upgrade the ClickHouse server."
        )


async def _has_tables(clickhouse: ClickHouse) -> bool:
    """Whether there is a list of migrations.

    Raises MigrationFailed when it was created for one server and a cluster is set, or the reverse.
    """
    rows: list[dict[str, str]] = await clickhouse.rows(
        "SELECT engine FROM system.tables WHERE database = currentDatabase() AND name = 'schema_migrations'", {}, dict
    )
    is_clustered = clickhouse.settings.cluster_enabled
    if rows and (rows[0]["engine"] == "Distributed") != is_clustered:
        stored, wanted = ("one server", "a cluster") if is_clustered else ("a cluster", "one server")
        raise MigrationFailed(
            f"The tables in {clickhouse.database} were made for {stored}, not for {wanted}.",
            hint="Set CLICKHOUSE_CLUSTER_ENABLED as it was, or another CLICKHOUSE_DB.",
        )
    return bool(rows)


async def _apply(clickhouse: ClickHouse, migration: ClickHouseMigration) -> None:
    statements = migration.statements
    if clickhouse.settings.cluster_enabled:
        statements = dict(cluster_statements(clickhouse.settings.cluster_name, clickhouse.database))[migration.name]
    await _run(clickhouse, statements, migration.name, as_given=True)
    await clickhouse.command(
        "INSERT INTO schema_migrations (version, name) SELECT {version:UInt32}, {name:String}",
        {"version": migration.version, "name": migration.name},
    )


async def _run(clickhouse: ClickHouse, statements: Sequence[str], name: str, *, as_given: bool = False) -> None:
    for number, statement in enumerate(statements, 1):
        try:
            await clickhouse.command(statement, settings=_PATIENT, as_given=as_given)
        except (StoreUnavailable, DatabaseError) as error:
            raise _explained(error, f"{name}, statement {number}") from error


def _explained(error: StoreUnavailable | DatabaseError, place: str) -> ApplianceError:
    """The error of a failed statement, with a hint; an unavailable server stays StoreUnavailable."""
    cause = error.__cause__ if isinstance(error, StoreUnavailable) else error
    text = error.message if isinstance(error, StoreUnavailable) else str(error).partition("\n")[0]
    code = getattr(cause, "code", None)
    if isinstance(error, StoreUnavailable) and code is None:
        return StoreUnavailable(f"{place}: {text}")
    if code == _ACCESS_DENIED:
        hint = "Give this user the grants in docs/security.md, or set CLICKHOUSE_MIGRATION_URL with one who has them."
    elif code in _NO_CLUSTER:
        hint = "Set CLICKHOUSE_CLUSTER_NAME to a name in system.clusters, and give the cluster a Keeper."
    else:
        hint = ""
    return MigrationFailed(f"{place}: {text}", hint=hint)
