"""The embedded runtime: the three stores as child processes, nothing to install, no root, no Docker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from appliance.config import Settings
from appliance.orchestrator.limits import require_address_space
from appliance.orchestrator.processes import Launcher, launch_process
from appliance.orchestrator.runtimes import embedded_clickhouse
from appliance.orchestrator.runtimes.contract import Endpoints, Service, with_endpoints
from appliance.orchestrator.runtimes.embedded_clickhouse import EmbeddedClickHouse
from appliance.orchestrator.runtimes.embedded_postgres import EmbeddedPostgres
from appliance.orchestrator.runtimes.embedded_redis import EmbeddedRedis
from appliance.orchestrator.secrets import Secrets
from appliance.orchestrator.steps import Tell
from appliance.paths import DataDir


class EmbeddedRuntime:
    """Stores on loopback `ports` with generated passwords, their data below the data directory."""

    name = "embedded"

    def __init__(
        self, data_dir: DataDir, secrets: Secrets, ports: Mapping[str, int], launcher: Launcher = launch_process
    ) -> None:
        self._postgres = EmbeddedPostgres(data_dir, ports["postgres"], secrets.postgres_password, launcher)
        self._redis = EmbeddedRedis(data_dir, ports["redis"], secrets.redis_password, launcher)
        self._clickhouse = EmbeddedClickHouse(data_dir, ports["clickhouse"], secrets.clickhouse_password, launcher)

    @property
    def stores(self) -> Sequence[Service]:
        return (self._postgres, self._redis, self._clickhouse)

    @property
    def endpoints(self) -> Endpoints:
        return Endpoints(
            postgres_url=self._postgres.url,
            redis_url=self._redis.url,
            clickhouse_url=self._clickhouse.url,
            clickhouse_user=embedded_clickhouse.USER,
            clickhouse_password=self._clickhouse.password,
            clickhouse_database=embedded_clickhouse.DATABASE,
        )

    async def prepare(self, tell: Tell) -> None:
        """Nothing to fetch. Raises RuntimeUnavailable and ConfigError for what this user or shell may not do."""
        self._postgres.require_user()
        require_address_space()

    async def close(self) -> None:
        """Nothing is held open."""

    def connect(self, settings: Settings) -> Settings:
        """The settings with this runtime's endpoints; cluster settings of the environment do not apply here."""
        return with_endpoints(settings, self.endpoints)
