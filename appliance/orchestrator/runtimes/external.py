"""The external runtime: starts no stores; their addresses come from the environment."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.config import Settings
from appliance.errors import ConfigError
from appliance.model.services import RuntimeName
from appliance.orchestrator.processes.probes import ask_redis_of
from appliance.orchestrator.progress import Report
from appliance.orchestrator.runtimes.contract import Endpoints, ServiceHandle

if TYPE_CHECKING:
    from appliance.storage.clickhouse.client import ClickHouse
    from appliance.storage.postgres.pool import Postgres


class ExternalHandle:
    """The handle of an external server: it is not stopped from here, and only checks show whether it answers."""

    pid: int | None = None
    container: str | None = None

    def __init__(self) -> None:
        self._stopped = asyncio.Event()

    async def wait(self) -> str:
        await self._stopped.wait()
        return "is no longer watched"

    async def stop(self) -> None:
        self._stopped.set()


@dataclass(frozen=True, slots=True)
class ExternalStore:
    """An external store."""

    name: str
    address: str
    probe: Callable[[], Awaitable[None]]
    managed: bool = False

    async def launch(self) -> ServiceHandle:
        return ExternalHandle()

    async def check(self, handle: ServiceHandle) -> None:
        await self.probe()


class ExternalRuntime:
    """Checks the stores through the same clients as web and worker; raises ConfigError when an address is not set."""

    name: RuntimeName = "external"
    shared_ports: Collection[int] = ()

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        given = {
            "DATABASE_URL": settings.postgres.address,
            "REDIS_CONNECTION_STRING (or REDIS_HOST)": settings.redis.is_given,
            "CLICKHOUSE_URL": settings.clickhouse.url,
        }
        if missing := [name for name, value in given.items() if not value]:
            raise ConfigError(
                f"The external runtime needs {', '.join(missing)}.",
                hint="Set the environment, or use --runtime embedded.",
            )
        self._postgres: Postgres | None = None
        self._clickhouse: ClickHouse | None = None

    @property
    def stores(self) -> Sequence[ExternalStore]:
        settings = self._settings
        return (
            ExternalStore("postgres", _host_and_port(settings.postgres.address), self._check_postgres),
            ExternalStore("redis", self._redis_place(), self._check_redis),
            ExternalStore("clickhouse", _host_and_port(settings.clickhouse.url), self._check_clickhouse),
        )

    @property
    def endpoints(self) -> Endpoints:
        clickhouse = self._settings.clickhouse
        return Endpoints(
            postgres_url=self._settings.postgres.address,
            redis_url=self._settings.redis.url,
            clickhouse_url=clickhouse.url,
            clickhouse_user=clickhouse.user,
            clickhouse_password=clickhouse.password,
            clickhouse_database=clickhouse.database,
        )

    async def prepare(self, report: Report) -> None:
        """Creates the clients of the checks; raises ConfigError for an unusable address."""
        self._open_clickhouse()
        await self._open_postgres()

    async def close(self) -> None:
        """Closes the connections of the checks."""
        postgres, self._postgres = self._postgres, None
        clickhouse, self._clickhouse = self._clickhouse, None
        if postgres is not None:
            await postgres.close()
        if clickhouse is not None:
            await clickhouse.close()

    def connect(self, settings: Settings) -> Settings:
        return settings

    async def _check_postgres(self) -> None:
        await (await self._open_postgres()).row("SELECT 1 AS one")

    async def _check_redis(self) -> None:
        await ask_redis_of(self._settings.redis, "PING")

    async def _check_clickhouse(self) -> None:
        await self._open_clickhouse().ping()

    async def _open_postgres(self) -> Postgres:
        if self._postgres is None:
            # Imported here: the drivers are large, and only this runtime needs them in the supervisor.
            from appliance.storage.postgres.pool import Postgres

            # It would log each attempt; the check reports the reason once.
            logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
            self._postgres = Postgres(self._settings.postgres, most=1)
            await self._postgres.open()
        return self._postgres

    def _open_clickhouse(self) -> ClickHouse:
        if self._clickhouse is None:
            from appliance.storage.clickhouse.client import ClickHouse

            # The migrations create the database, after the first check.
            self._clickhouse = ClickHouse(self._settings.clickhouse, database="")
        return self._clickhouse

    def _redis_place(self) -> str:
        from appliance.storage.redis.address import address_of

        return address_of(self._settings.redis).text


def _host_and_port(url: str) -> str:
    """host:port of an address, without secrets."""
    if "://" not in url:
        return "given in libpq's words"
    return re.split("[/?#]", url.partition("://")[2], maxsplit=1)[0].rpartition("@")[2]
