"""Copies every table of one ClickHouse into another one of the same schema, by partition, and compares them.

Replaced rows are copied as well, so that a copy is equal and not merely equivalent.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error

from appliance.config import ClickHouseSettings
from appliance.errors import CopyFailed, StoreUnavailable
from appliance.proxies import ask_directly
from appliance.storage.clickhouse.queries import render

_NOUN: Final = "copying"
_CHUNK_BYTES: Final = 1 << 20
_HOURS_S: Final = 6 * 3600
_READ: Final = {"max_block_size": 8192, "max_threads": 1, "max_execution_time": 0}
_WRITE: Final = {
    "async_insert": 0,
    "optimize_on_insert": 0,
    "max_insert_threads": 1,
    "max_partitions_per_insert_block": 0,
    "min_insert_block_size_rows": 65_536,
    "min_insert_block_size_bytes": 64 * 1024 * 1024,
    "max_execution_time": 0,
    # Merges are stopped until all is compared, so more parts than usual are allowed.
    "parts_to_delay_insert": 1_000_000,
    "parts_to_throw_insert": 1_000_000,
}
_FEW_PARTS: Final = 300
"""Parts in one partition that do not delay later inserts."""
_POLL_S: Final = 0.2
_MERGES_STAND_STILL_S: Final = 300.0


def copy_tables(
    source: ClickHouseSettings, target: ClickHouseSettings, report: Callable[[str, int, int], None]
) -> dict[str, int]:
    """Replace the tables of `target` by those of `source`; returns rows by table. Blocks: run it in a thread.

    `report` gets a table, the rows copied so far and all its rows. Merges are stopped in both servers meanwhile; those
    of the target have caught up when this returns, so that workers may insert at once.
    Raises CopyFailed when schemas or copies differ, and StoreUnavailable.
    """
    with _opened(source) as old, _opened(target) as new:
        tables = _names(old, "tables")
        if _names(old, "columns") != _names(new, "columns"):
            raise CopyFailed("The two ClickHouse have different schemas.")
        with _at_rest(old), _at_rest(new):
            for table in tables:
                new.command(f"TRUNCATE TABLE {_quoted(table)}", settings={"max_table_size_to_drop": 0})
            copied = {table: _copy(table, old, new, report) for table in tables}
        _await_merges(new)
        return copied


def has_rows(settings: ClickHouseSettings) -> bool:
    """Whether anything is stored; blocks. Raises StoreUnavailable."""
    with _opened(settings) as client:
        return int(str(client.command(render(_NOUN, "stored_rows")))) > 0


def stored_bytes(settings: ClickHouseSettings) -> int:
    """Bytes that all tables take on disk; blocks. Raises StoreUnavailable."""
    with _opened(settings) as client:
        return int(str(client.command(render(_NOUN, "stored_bytes"))))


def _copy(table: str, old: Client, new: Client, report: Callable[[str, int, int], None]) -> int:
    total = int(str(old.command(f"SELECT count() FROM {_quoted(table)}")))
    done = 0
    for partition, rows in _partitions(old, table):
        reading = f"SELECT * FROM {_quoted(table)} WHERE _partition_id = {{partition:String}}"
        stream = old.raw_stream(reading, {"partition": partition}, settings=_READ, fmt="Native")
        new.raw_insert(table, insert_block=_chunks(stream), settings=_WRITE, fmt="Native")
        done += rows
        report(table, done, total)
    before, after = _fingerprint(old, table), _fingerprint(new, table)
    if before != after:
        raise CopyFailed(f"The copy of the ClickHouse table {table} differs: {before} became {after}.")
    return total


def _await_merges(client: Client) -> None:
    """Wait until no partition has too many parts, as long as merges make them fewer."""
    fewest, seen_at = sys.maxsize, time.monotonic()
    while (parts := int(str(client.command(render(_NOUN, "most_parts"))))) > _FEW_PARTS:
        if parts < fewest:
            fewest, seen_at = parts, time.monotonic()
        if time.monotonic() - seen_at > _MERGES_STAND_STILL_S:
            return  # the copy is complete; inserts will wait for merges as usual
        time.sleep(_POLL_S)


def _partitions(client: Client, table: str) -> list[tuple[str, int]]:
    """Partition ids with their rows."""
    return [
        (str(id), int(rows)) for id, rows in client.query(render(_NOUN, "partitions"), {"table": table}).result_rows
    ]


def _fingerprint(client: Client, table: str) -> tuple[Any, ...]:
    """Number of rows, and a sum over their hashes that does not depend on their order."""
    sql = f"SELECT count(), sum(cityHash64(formatRow('RowBinary', *))) FROM {_quoted(table)}"
    return tuple(client.query(sql, settings={"max_threads": 1, "max_execution_time": 0}).result_rows[0])


def _names(client: Client, query: str) -> list[Any]:
    rows = client.query(render(_NOUN, query)).result_rows
    return [row[0] if len(row) == 1 else tuple(row) for row in rows]


def _chunks(stream: Any) -> Generator[bytes, None, None]:
    while chunk := stream.read(_CHUNK_BYTES):
        yield chunk


@contextmanager
def _at_rest(client: Client) -> Iterator[None]:
    """Stop merges inside the block."""
    client.command("SYSTEM STOP MERGES")
    try:
        yield
    finally:
        client.command("SYSTEM START MERGES")


@contextmanager
def _opened(settings: ClickHouseSettings) -> Iterator[Client]:
    address = urlsplit(settings.url)
    ask_directly(address.hostname or "")
    try:
        client = clickhouse_connect.get_client(
            host=address.hostname,
            port=address.port or 8123,
            interface=address.scheme,
            username=settings.user,
            password=settings.password,
            database=settings.database,
            compress=False,
            send_receive_timeout=_HOURS_S,
            autogenerate_session_id=False,
        )
        try:
            yield client
        finally:
            client.close()
    except (Error, OSError) as error:
        raise StoreUnavailable(f"ClickHouse cannot do this now: {str(error).splitlines()[0][:500]}") from error


def _quoted(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
