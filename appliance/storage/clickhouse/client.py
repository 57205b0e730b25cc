"""The ClickHouse client: bound queries into typed rows, inserts of JSON lines, and translated errors."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import lru_cache
from typing import Any, Final, Generic, TypeVar
from urllib.parse import urlsplit

import aiohttp
import msgspec
from clickhouse_connect.driver import create_async_client
from clickhouse_connect.driver.asyncclient import AsyncClient

from appliance.config import ClickHouseSettings
from appliance.errors import ConfigError, StoreUnavailable
from appliance.proxies import ask_directly
from appliance.storage.clickhouse import cluster
from appliance.storage.clickhouse.hidden import hiding
from appliance.storage.clickhouse.refusals import NAME, translated

Row = TypeVar("Row")

_READ_SETTINGS: Final[dict[str, Any]] = {
    "output_format_json_quote_64bit_integers": 0,
    "output_format_json_quote_decimals": 0,
    "output_format_json_quote_denormals": 0,
    "output_format_json_named_tuples_as_objects": 1,
    "max_execution_time": 30,
    # Enough for a filter with the most conditions; the server's defaults are 256 KiB and 50,000.
    "max_query_size": 4 * 1024 * 1024,
    "max_ast_elements": 1_000_000,
    "max_expanded_ast_elements": 2_000_000,
}
_INSERT_SETTINGS: Final[dict[str, Any]] = {
    "async_insert": 0,
    "input_format_parallel_parsing": 0,
    # One request may carry spans of many months.
    "max_partitions_per_insert_block": 0,
    # Indexes take a third of an insert's time: merges build them, and until then small parts are read in full.
    "exclude_materialize_skip_indexes_on_insert": "by_words",
    # Every read takes the newest version, so a block may hold older ones.
    "optimize_on_insert": 0,
}
_CHUNK_BYTES: Final = 256 * 1024
# Newer servers read a number as seconds unless this is set; older ones always read the column's own unit.
_RAW_TIMES: Final = "input_format_read_datetime_number_as_raw_value"


# A query may take long, but a server that does not answer a ping meanwhile hangs.
_DOUBT_AFTER_S: Final = 1.0
_PING_S: Final = 1.5


@lru_cache(maxsize=256)
def _decoder(row_type: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(row_type, strict=False)


class _Page(msgspec.Struct, Generic[Row]):
    """An answer in ClickHouse's format JSON."""

    data: list[Row]
    rows_before_limit_at_least: int = 0


@lru_cache(maxsize=32)
def _page_decoder(row_type: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(_Page[row_type], strict=False)


class ClickHouse:
    """A pool of HTTP connections to one database, opened at first use, so that the server may be down before.

    While `has_deletions` is true, reads leave out deleted rows that may still be stored.
    """

    def __init__(
        self,
        settings: ClickHouseSettings,
        *,
        database: str | None = None,
        has_deletions: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        if not settings.url:
            raise ConfigError("No ClickHouse is configured.", hint="Set CLICKHOUSE_URL, such as http://127.0.0.1:8123.")
        _require_address(settings.url)
        ask_directly(urlsplit(settings.url).hostname or "")
        self.settings = settings
        self.database = settings.database if database is None else database
        self._reading, self._inserting = dict(_READ_SETTINGS), dict(_INSERT_SETTINGS)
        if settings.cluster_enabled:
            self._reading |= cluster.READ_SETTINGS
            self._inserting |= cluster.insert_settings(settings.insert_quorum)
        self._has_deletions = has_deletions
        self._tls = _tls_context(settings)
        self._client: AsyncClient | None = None
        self._opening = asyncio.Lock()

    @classmethod
    async def connect(cls, settings: ClickHouseSettings) -> ClickHouse:
        """A client for these settings, not connected yet; raises ConfigError without an address."""
        return cls(settings)

    async def close(self) -> None:
        """Close all connections; they are opened again at the next use."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def rows(
        self,
        sql: str,
        params: Mapping[str, Any] | None,
        row_type: type[Row],
        *,
        settings: Mapping[str, Any] | None = None,
    ) -> list[Row]:
        """All rows of a SELECT as `row_type` (a msgspec struct, dataclass or dict), its columns matched by name.

        The server binds values where the text has `{name:Type}`; 64-bit integers and decimals arrive as
        numbers. Raises QueryTooExpensive and StoreUnavailable.
        """
        with translated():
            chosen = {**self._reading, **await self._hiding_if_needed(), **(settings or {})}
            body = await self._unless_silent(self._read(sql, params or {}, chosen))
        kind: Any = row_type
        rows: list[Row] = _decoder(kind).decode_lines(body)
        return rows

    async def page(
        self,
        sql: str,
        params: Mapping[str, Any],
        row_type: type[Row],
        *,
        settings: Mapping[str, Any] | None = None,
    ) -> tuple[list[Row], int]:
        """The rows of a SELECT that ends with LIMIT, as `rows`, and how many there would be without it."""
        chosen = {**self._reading, "exact_rows_before_limit": 1, **await self._hiding_if_needed(), **(settings or {})}
        with translated():
            body = await self._unless_silent(self._read(sql, params, chosen, "JSON"))
        kind: Any = row_type
        page: _Page[Row] = _page_decoder(kind).decode(body)
        return page.data, page.rows_before_limit_at_least

    async def insert(self, table: str, block: bytes, *, settings: Mapping[str, Any] | None = None) -> None:
        """Write JSON lines (one object per row, times in microseconds) and return once they are stored.

        Raises Undecodable when a value does not fit its column, TooMuchAtOnce when there is no memory for the block,
        StoreUnavailable for errors that pass with time, StoreRefused for unknown ones.
        """
        with translated(inserting=True):
            client = await self._open()
            chosen = {**self._inserting, **(settings or {})}
            if _RAW_TIMES in client.server_settings:
                chosen[_RAW_TIMES] = 1
            # The driver copies a whole block to prepend the statement; chunks avoid that.
            content = block if len(block) < _CHUNK_BYTES else _chunks(block)
            await client.raw_insert(table, insert_block=content, settings=chosen, fmt="JSONEachRow")

    async def command(
        self,
        sql: str,
        params: Mapping[str, Any] | None = None,
        *,
        settings: Mapping[str, Any] | None = None,
        as_given: bool = False,
    ) -> None:
        """Run one statement that returns no rows, on all servers of a cluster unless it runs `as_given`.

        Raises QueryTooExpensive and StoreUnavailable.
        """
        chosen = dict(settings or {})
        statements: tuple[str, ...] = (sql,)
        if self.settings.cluster_enabled:
            inserting = cluster.insert_settings(self.settings.insert_quorum)
            chosen = {**cluster.READ_SETTINGS, **inserting, **cluster.DDL_SETTINGS, **chosen}
            if not as_given:
                statements = cluster.Cluster(self.settings.cluster_name, self.database).statements(sql)
        with translated():
            client = await self._open()
            for statement in statements:
                await client.raw_query(statement, dict(params or {}), chosen, use_database=bool(self.database))

    @property
    def hiding(self) -> Mapping[str, Any]:
        """The settings of a statement that leaves out deleted rows."""
        return hiding(self.database)

    async def _hiding_if_needed(self) -> Mapping[str, Any]:
        return self.hiding if self._has_deletions is not None and await self._has_deletions() else {}

    def stored_name(self, table: str) -> str:
        """The name of the table that holds the rows: on a cluster, `table` itself only distributes them."""
        return f"{table}{cluster.LOCAL}" if self.settings.cluster_enabled else table

    def everywhere(self, table: str) -> str:
        """A table of the server's own, such as `system.mutations`, of all servers of a cluster."""
        if not self.settings.cluster_enabled:
            return table
        name = self.settings.cluster_name.replace("\\", "\\\\").replace("'", "\\'")
        return f"clusterAllReplicas('{name}', {table})"

    async def ping(self) -> None:
        """Check that the server answers. Raises StoreUnavailable."""
        with translated():
            await self._unless_silent(self._read("SELECT 1", {}, {**self._reading, "max_execution_time": 3}))

    async def version(self) -> str:
        """The server's version, such as `26.3.1.1`. Raises StoreUnavailable."""
        rows: list[dict[str, str]] = await self.rows("SELECT version() AS version", {}, dict)
        return rows[0]["version"]

    async def _read(
        self, sql: str, params: Mapping[str, Any], settings: dict[str, Any], form: str = "JSONEachRow"
    ) -> bytes:
        client = await self._open()
        return bytes(await client.raw_query(sql, dict(params), settings, fmt=form))

    async def _unless_silent(self, work: Awaitable[bytes]) -> bytes:
        """The result of `work`, however long it takes, as long as the server answers pings meanwhile."""
        task = asyncio.ensure_future(work)
        try:
            while not (await asyncio.wait({task}, timeout=_DOUBT_AFTER_S))[0]:
                pinged = asyncio.ensure_future(self._answers_ping())
                await asyncio.wait({task, pinged}, return_when=asyncio.FIRST_COMPLETED)
                if not task.done() and not await pinged:
                    waited = f"ClickHouse did not answer within {_DOUBT_AFTER_S + _PING_S:g} s."
                    raise StoreUnavailable(waited, store=NAME)
                pinged.cancel()
            return task.result()
        finally:
            task.cancel()

    async def _answers_ping(self) -> bool:
        """Ping on a connection of its own, because those of the pool may all be busy."""
        timeout = aiohttp.ClientTimeout(total=_PING_S)
        try:
            request = aiohttp.ClientSession(timeout=timeout)
            named: dict[str, Any] = {"server_hostname": self.settings.tls_server_name or None} if self._tls else {}
            async with request as session, session.get(f"{self._base_url}/ping", ssl=self._tls or True, **named):
                return True
        except TimeoutError:
            return False
        except (aiohttp.ClientError, OSError):
            return True  # the server answers: the query itself will report what is wrong

    @property
    def _base_url(self) -> str:
        address = urlsplit(self.settings.url)
        host = f"[{address.hostname}]" if ":" in (address.hostname or "") else address.hostname
        return f"{address.scheme}://{host}:{_port_of(address.scheme, address.port)}"

    async def _open(self) -> AsyncClient:
        async with self._opening:
            if self._client is None:
                chosen, address = self.settings, urlsplit(self.settings.url)
                self._client = await create_async_client(
                    host=address.hostname,
                    port=_port_of(address.scheme, address.port),
                    interface=address.scheme,
                    username=chosen.user,
                    password=chosen.password,
                    database=self.database,
                    compress=False,
                    connect_timeout=chosen.connect_timeout_s,
                    send_receive_timeout=chosen.request_timeout_s,
                    connector_limit=chosen.max_connections,
                    connector_limit_per_host=chosen.max_connections,
                    autogenerate_session_id=False,
                    verify=chosen.tls_verify,
                    ca_cert=chosen.tls_ca_path or None,
                    client_cert=chosen.tls_cert_path or None,
                    client_cert_key=chosen.tls_key_path or None,
                    server_host_name=chosen.tls_server_name or None,
                    # With a password the certificate only opens the connection; without one it is the login.
                    tls_mode="strict" if chosen.password else "mutual",
                )
            return self._client


async def _chunks(block: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(block), _CHUNK_BYTES):
        yield block[start : start + _CHUNK_BYTES]


def _tls_context(settings: ClickHouseSettings) -> ssl.SSLContext | None:
    """The TLS context of a ping; raises ConfigError for files that cannot be read."""
    if not settings.url.startswith("https://"):
        return None
    try:
        context = ssl.create_default_context()
        if settings.tls_ca_path:
            context.load_verify_locations(settings.tls_ca_path)
        if settings.tls_cert_path:
            context.load_cert_chain(settings.tls_cert_path, settings.tls_key_path or None)
    except OSError as error:
        files = ", ".join(filter(None, (settings.tls_ca_path, settings.tls_cert_path, settings.tls_key_path)))
        raise ConfigError(
            f"The certificates for ClickHouse cannot be read ({files}): {error.strerror or error}.",
            hint="Fix the LANGFUSE_LOCAL_CLICKHOUSE_TLS settings.",
        ) from error
    if not settings.tls_verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _require_address(url: str) -> None:
    """Raises ConfigError, which does not quote the address: a password may be in it."""
    try:
        address = urlsplit(url)
        is_usable = address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
    except ValueError:  # a port that is no number, or half an IPv6 address
        is_usable = False
    if not is_usable:
        raise ConfigError(
            "CLICKHOUSE_URL is no address of ClickHouse's HTTP interface.",
            hint="Such as http://127.0.0.1:8123; the login goes to CLICKHOUSE_USER and CLICKHOUSE_PASSWORD.",
        )


def _port_of(scheme: str, port: int | None) -> int:
    return port or (8443 if scheme == "https" else 8123)
