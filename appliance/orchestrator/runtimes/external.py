"""The external runtime: starts nothing; the three endpoints come from the environment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from appliance.config import Settings
from appliance.errors import ConfigError, StoreUnavailable
from appliance.orchestrator.probes import ask_redis, probe_http, probe_postgres
from appliance.orchestrator.runtimes.contract import Endpoints, Service, Unit
from appliance.orchestrator.steps import Tell


class ExternalUnit:
    """A server of somebody else: it cannot be stopped from here, and its end is not seen, only its silence."""

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
    """One store that runs elsewhere."""

    name: str
    url: str
    probe: Callable[[], Awaitable[None]]
    managed: bool = False

    @property
    def address(self) -> str:
        target = urlsplit(self.url)
        return f"{target.hostname}:{target.port}" if target.port else str(target.hostname)

    async def launch(self) -> Unit:
        return ExternalUnit()

    async def check(self, unit: Unit) -> None:
        await self.probe()


class ExternalRuntime:
    """Checks that the three endpoints answer; raises ConfigError when one is not given."""

    name = "external"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        given = {
            "DATABASE_URL": settings.postgres.url,
            "REDIS_CONNECTION_STRING (or REDIS_HOST)": settings.redis.url,
            "CLICKHOUSE_URL": settings.clickhouse.url,
        }
        if missing := [name for name, value in given.items() if not value]:
            raise ConfigError(
                f"The external runtime needs {', '.join(missing)}.",
                hint="Set the environment, or use --runtime embedded.",
            )

    @property
    def stores(self) -> Sequence[Service]:
        postgres, redis, clickhouse = self._settings.postgres, self._settings.redis, self._settings.clickhouse

        async def check_redis() -> None:
            await ask_redis(redis.url, "PING")

        async def check_clickhouse() -> None:
            status, _ = await probe_http(clickhouse.url, path="/ping")
            if status != 200:
                raise StoreUnavailable(f"ClickHouse answers with status {status}.")

        return (
            ExternalStore("postgres", postgres.url, lambda: probe_postgres(postgres.url)),
            ExternalStore("redis", redis.url, check_redis),
            ExternalStore("clickhouse", clickhouse.url, check_clickhouse),
        )

    @property
    def endpoints(self) -> Endpoints:
        clickhouse = self._settings.clickhouse
        return Endpoints(
            postgres_url=self._settings.postgres.url,
            redis_url=self._settings.redis.url,
            clickhouse_url=clickhouse.url,
            clickhouse_user=clickhouse.user,
            clickhouse_password=clickhouse.password,
            clickhouse_database=clickhouse.database,
        )

    async def prepare(self, tell: Tell) -> None:
        """Nothing to fetch."""

    async def close(self) -> None:
        """Nothing is held open."""

    def connect(self, settings: Settings) -> Settings:
        return settings
