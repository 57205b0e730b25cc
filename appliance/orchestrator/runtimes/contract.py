"""What the supervisor needs of a service, and what a runtime is: the services of the stores and their endpoints."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from appliance.config import ClickHouseSettings, PostgresSettings, RedisSettings, Settings
from appliance.model.services import RuntimeName
from appliance.orchestrator.progress import Report


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the three stores answer, in the form of the settings."""

    postgres_url: str
    redis_url: str
    clickhouse_url: str
    clickhouse_user: str
    clickhouse_password: str
    clickhouse_database: str


def with_endpoints(settings: Settings, ends: Endpoints) -> Settings:
    """The settings with stores of our own: their addresses, and nothing of what the environment says of others."""
    postgres = settings.postgres
    return dataclasses.replace(
        settings,
        postgres=PostgresSettings(
            url=ends.postgres_url,
            pool_size=postgres.pool_size,
            read_timeout_ms=postgres.read_timeout_ms,
            statement_timeout_ms=postgres.statement_timeout_ms,
        ),
        redis=RedisSettings(connection_string=ends.redis_url, socket_timeout_ms=settings.redis.socket_timeout_ms),
        clickhouse=ClickHouseSettings(
            url=ends.clickhouse_url,
            user=ends.clickhouse_user,
            password=ends.clickhouse_password,
            database=ends.clickhouse_database,
            request_timeout_s=settings.clickhouse.request_timeout_s,
            max_connections=settings.clickhouse.max_connections,
        ),
    )


class ServiceHandle(Protocol):
    """Something that was started and runs: a process, a container, or a server of somebody else."""

    @property
    def pid(self) -> int | None: ...

    @property
    def container(self) -> str | None: ...

    async def wait(self) -> str:
        """Waits for the end and says in words how it ended."""

    async def stop(self) -> None:
        """Stops it gracefully, by force when it does not listen."""


@runtime_checkable
class Measured(Protocol):
    """A handle whose use of the machine cannot be seen from its pid."""

    async def measure(self) -> tuple[float, int]:
        """CPU in percent of one core since the last time, and resident bytes; raises RuntimeUnavailable."""


class Service(Protocol):
    """One service of the appliance."""

    @property
    def name(self) -> str: ...

    @property
    def address(self) -> str | None:
        """host:port, without secrets."""

    @property
    def managed(self) -> bool:
        """Whether the appliance starts and stops it."""

    async def launch(self) -> ServiceHandle:
        """Prepares and starts it; raises RuntimeUnavailable or StartFailed."""

    async def check(self, handle: ServiceHandle) -> None:
        """Returns when it answers; raises StoreUnavailable with the reason when it does not."""


class Runtime(Protocol):
    """One way to run the stores."""

    @property
    def name(self) -> RuntimeName: ...

    @property
    def stores(self) -> Sequence[Service]:
        """postgres, redis and clickhouse, in this order."""

    @property
    def shared_ports(self) -> Collection[int]:
        """Loopback ports that a program of somebody else may take before a store listens there."""

    @property
    def endpoints(self) -> Endpoints: ...

    async def prepare(self, report: Report) -> None:
        """Fetches what is missing before the first start, with progress; raises RuntimeUnavailable."""

    async def close(self) -> None:
        """Ends the runtime's own connections; the stores go on."""

    def connect(self, settings: Settings) -> Settings:
        """The settings with this runtime's endpoints in them."""
