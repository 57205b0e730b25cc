"""The protocols of a service, of a handle to a started one, and of a runtime with the services of the stores."""

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
    """Addresses and logins of the three stores, as the settings have them."""

    postgres_url: str
    redis_url: str
    clickhouse_url: str
    clickhouse_user: str
    clickhouse_password: str
    clickhouse_database: str


def with_endpoints(settings: Settings, ends: Endpoints) -> Settings:
    """The settings with the endpoints of our own stores, without the environment's settings for other stores."""
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
    """A started service: a process, a container, or an external server."""

    @property
    def pid(self) -> int | None: ...

    @property
    def container(self) -> str | None: ...

    async def wait(self) -> str:
        """Waits for the end; returns how it ended, in words."""

    async def stop(self) -> None:
        """Stops it gracefully, by force when it does not stop."""


@runtime_checkable
class Measured(Protocol):
    """A handle of a service whose CPU and memory use cannot be measured by its pid."""

    async def measure(self) -> tuple[float, int]:
        """CPU in percent of one core since the last call, and resident bytes; raises RuntimeUnavailable."""


class Service(Protocol):
    """One service of the appliance."""

    @property
    def name(self) -> str: ...

    @property
    def address(self) -> str | None:
        """Address for display, such as host:port, without secrets."""

    @property
    def managed(self) -> bool:
        """Whether the appliance starts and stops it; False for external stores."""

    async def launch(self) -> ServiceHandle:
        """Starts it; raises RuntimeUnavailable or StartFailed."""

    async def check(self, handle: ServiceHandle) -> None:
        """Returns when it is healthy; raises StoreUnavailable with the reason when it is not."""


class Runtime(Protocol):
    """One way to run the stores."""

    @property
    def name(self) -> RuntimeName: ...

    @property
    def stores(self) -> Sequence[Service]:
        """postgres, redis and clickhouse, in this order."""

    @property
    def shared_ports(self) -> Collection[int]:
        """Loopback ports that another program may take before a store listens there."""

    @property
    def endpoints(self) -> Endpoints: ...

    async def prepare(self, report: Report) -> None:
        """Fetches what is missing before a start, and reports progress; raises RuntimeUnavailable."""

    async def close(self) -> None:
        """Closes the runtime's own connections; the stores go on."""

    def connect(self, settings: Settings) -> Settings:
        """The settings with this runtime's endpoints."""
