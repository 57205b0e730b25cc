"""Copies every table of one Postgres into another one of the same schema, in one transaction that also verifies."""

from __future__ import annotations

from graphlib import TopologicalSorter
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from appliance.config import PostgresSettings
from appliance.errors import CopyFailed
from appliance.storage.postgres.pool import Connection, translated_errors
from appliance.storage.sql_files import load_blocks

_SQL = load_blocks(__package__, "copying")
_MIGRATIONS = "schema_migrations"


async def copy_tables(source: PostgresSettings, target: PostgresSettings) -> dict[str, int]:
    """Replace the rows of `target` by those of `source`; returns the number of rows by table.

    Nothing changes unless all tables were copied and compared.
    Raises CopyFailed when the schemas or the copies differ, and StoreUnavailable.
    """
    with translated_errors():
        async with await _connect(source) as old, await _connect(target) as new:
            # One snapshot, so that the copies and the sums over them see the same rows.
            await old.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
            tables = await _in_order(old)
            if await _columns(old) != await _columns(new):
                raise CopyFailed("The two Postgres have different schemas.")
            async with old.transaction(), new.transaction():
                for table in reversed(tables):
                    await new.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.Identifier(table)))
                return {table: await _copy(table, old, new) for table in tables}


async def has_rows(settings: PostgresSettings) -> bool:
    """Whether users have stored anything; raises StoreUnavailable."""
    with translated_errors():
        async with await _connect(settings) as connection:
            (row,) = await _rows(connection, "has_rows")
    return bool(row["has_rows"])


async def _connect(settings: PostgresSettings) -> Connection:
    return await psycopg.AsyncConnection.connect(
        settings.url, row_factory=dict_row, connect_timeout=5, options="-c timezone=UTC"
    )


async def _in_order(connection: Connection) -> list[str]:
    """All tables but the list of migrations, each after those that it refers to."""
    graph: TopologicalSorter[str] = TopologicalSorter()
    for row in await _rows(connection, "tables"):
        graph.add(row["name"], *(other for other in row["refers_to"] if other != row["name"]))
    return [name for name in graph.static_order() if name != _MIGRATIONS]


async def _columns(connection: Connection) -> list[dict[str, Any]]:
    return await _rows(connection, "columns")


async def _rows(connection: Connection, name: str) -> list[dict[str, Any]]:
    return await (await connection.execute(_SQL[name])).fetchall()


async def _copy(table: str, old: Connection, new: Connection) -> int:
    name = sql.Identifier(table)
    copy_out, copy_in = sql.SQL("COPY {} TO STDOUT").format(name), sql.SQL("COPY {} FROM STDIN").format(name)
    async with old.cursor().copy(copy_out) as output, new.cursor().copy(copy_in) as into:
        async for chunk in output:
            await into.write(chunk)
    before, after = await _fingerprint(table, old), await _fingerprint(table, new)
    if before != after:
        raise CopyFailed(f"The copy of the Postgres table {table} differs: {before} became {after}.")
    return before[0]


async def _fingerprint(table: str, connection: Connection) -> tuple[int, str]:
    """Number of rows, and a sum over their hashes that does not depend on their order."""
    query = sql.SQL(
        "SELECT count(*) AS rows, coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text AS hash FROM {} AS t"
    )
    row = await (await connection.execute(query.format(sql.Identifier(table)))).fetchone()
    assert row is not None
    return row["rows"], row["hash"]
