"""Connections to Postgres: one lazily opened pool per process, rows as dictionaries, translated errors."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from typing import Any, LiteralString, TypeVar

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import set_json_loads
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from appliance.config import PostgresSettings
from appliance.errors import InvalidRequest, StoreUnavailable
from appliance.storage.postgres.address import address_of
from appliance.storage.postgres.json_values import read_json

# Short, because the pause between attempts doubles each time; the next statement starts again with a short one.
_RECONNECT_FOR_S = 3.0
# A connection that nobody used for so long is closed; one that lives longer is replaced, so that a server which was
# taken out of a managed pair is left sooner or later.
_IDLE_S = 300.0
_LIFE_S = 1800.0

# A server that hangs keeps its connections open, so only a timeout shows it.
_ANSWER_S = 2.5

Result = TypeVar("Result")
Connection = psycopg.AsyncConnection[DictRow]
Params = Mapping[str, Any]


class Postgres:
    """A pool that opens without waiting: statements raise StoreUnavailable as long as the server is away."""

    def __init__(self, settings: PostgresSettings, *, most: int | None = None) -> None:
        address = address_of(settings)
        self._answer_s = settings.read_timeout_ms / 1000
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            address.conninfo,
            connection_class=psycopg.AsyncConnection[DictRow],
            # Statements prepared on one server are unknown to the next one behind a pooler.
            kwargs={"row_factory": dict_row, **({"prepare_threshold": None} if address.is_pooled else {})},
            min_size=1,
            max_size=most or address.pool_size,
            timeout=self._answer_s * 0.8,
            max_idle=_IDLE_S,
            max_lifetime=_LIFE_S,
            reconnect_timeout=_RECONNECT_FOR_S,
            check=AsyncConnectionPool.check_connection,
            configure=_read_json_leniently,
            open=False,
        )

    async def open(self) -> None:
        """Begin to connect; does not wait for the server."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """End all connections."""
        await self._pool.close()

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection inside a transaction that commits when the block ends well."""
        # The block has no time-out of its own, so a server that hangs must be noticed before it.
        await answered(self._rows("SELECT 1", None), self._answer_s)
        async with self._connection() as connection:
            yield connection

    async def rows(self, sql: LiteralString, params: Params | None = None) -> list[DictRow]:
        """All rows of a statement."""
        return await answered(self._rows(sql, params), self._answer_s)

    async def row(self, sql: LiteralString, params: Params | None = None) -> DictRow | None:
        """The first row of a statement, or None."""
        rows = await answered(self._rows(sql, params), self._answer_s)
        return rows[0] if rows else None

    async def page(self, sql: LiteralString, params: Params, limit: int, offset: int) -> tuple[list[DictRow], int]:
        """A page of rows and the total of all; the statement returns it as `total` in each row."""
        rows = await self.rows(sql, {**params, "limit": limit, "offset": offset})
        # A page past the end has no row to hold the total, so it comes with the first row of all.
        first = rows[0] if rows else await self.row(sql, {**params, "limit": 1, "offset": 0}) if offset else None
        return [{name: row[name] for name in row if name != "total"} for row in rows], first["total"] if first else 0

    async def stored_bytes(self) -> int:
        """Bytes that the database takes on disk."""
        row = await self.row("SELECT pg_database_size(current_database()) AS bytes")
        return 0 if row is None else int(row["bytes"])

    async def execute(self, sql: LiteralString, params: Params | None = None) -> int:
        """Run a statement; returns the number of affected rows."""
        return await answered(self._execute(sql, params), self._answer_s)

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        with translated_errors():
            async with self._pool.connection() as connection:
                yield connection

    async def _rows(self, sql: LiteralString, params: Params | None) -> list[DictRow]:
        async with self._connection() as connection:
            return await (await connection.execute(sql, params)).fetchall()

    async def _execute(self, sql: LiteralString, params: Params | None) -> int:
        async with self._connection() as connection:
            return (await connection.execute(sql, params)).rowcount


async def _read_json_leniently(connection: Connection) -> None:
    set_json_loads(read_json, connection)


async def answered(work: Coroutine[Any, Any, Result], seconds: float = _ANSWER_S) -> Result:
    """The result of `work`; raises StoreUnavailable when it takes longer than `seconds`.

    Work that is late goes on by itself: cancelling a statement would wait for the very server that is silent.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:  # the caller may have been cancelled
        if not task.done():
            task.add_done_callback(_forget)
    if not task.done():
        raise StoreUnavailable(f"Postgres did not answer within {seconds:g} s.", store="Postgres")
    return task.result()


def _forget(task: asyncio.Task[Any]) -> None:
    if not task.cancelled():
        task.exception()


@contextlib.contextmanager
def translated_errors() -> Iterator[None]:
    """Raises StoreUnavailable for a server that is away or out of connections, InvalidRequest for impossible values."""
    try:
        yield
    except psycopg.DataError as error:  # such as a NUL in a text or a number beyond its type
        raise InvalidRequest(f"A value cannot be stored: {str(error).strip().rstrip('.')}.") from error
    except (psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction, PoolTimeout) as error:
        words = str(error).strip().rstrip(".")
        raise StoreUnavailable(f"Postgres cannot be used right now: {words}.", store="Postgres") from error
