"""The embedded runtime: the three stores as child processes, nothing to install, no root, no Docker."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from appliance.config import Settings
from appliance.data_dir.secrets import Secrets
from appliance.model.services import RuntimeName
from appliance.orchestrator.host.limits import require_address_space
from appliance.orchestrator.host.ports import HeldPort
from appliance.orchestrator.host.socket_paths import choose_socket_path, remove_socket
from appliance.orchestrator.processes.child import Launcher, launch_process
from appliance.orchestrator.progress import Report
from appliance.orchestrator.runtimes.contract import Endpoints, Service, with_endpoints
from appliance.orchestrator.runtimes.embedded import clickhouse, postgres, redis
from appliance.orchestrator.runtimes.embedded.clickhouse import EmbeddedClickHouse
from appliance.orchestrator.runtimes.embedded.postgres import EmbeddedPostgres
from appliance.orchestrator.runtimes.embedded.redis import EmbeddedRedis
from appliance.paths import DataDir


class EmbeddedRuntime:
    """Stores with generated passwords and their data below the data directory.

    Postgres and Redis listen on sockets in folders that only this user can enter, ClickHouse on a port that is
    reserved for it, so a password is never sent to another user's server.
    """

    name: RuntimeName = "embedded"
    shared_ports: Collection[int] = ()

    def __init__(
        self, data_dir: DataDir, secrets: Secrets, port: HeldPort, launcher: Launcher = launch_process
    ) -> None:
        self._data_dir, self._port = data_dir, port
        postgres_socket = choose_socket_path(data_dir.postgres, postgres.SOCKET, postgres.FORBIDDEN_IN_PATH)
        redis_socket = choose_socket_path(data_dir.run, redis.SOCKET)
        self._postgres = EmbeddedPostgres(data_dir, postgres_socket, secrets.postgres_password, launcher)
        self._redis = EmbeddedRedis(data_dir, redis_socket, secrets.redis_password, launcher)
        self._clickhouse = EmbeddedClickHouse(data_dir, port.port, secrets.clickhouse_password, launcher)

    @property
    def sockets(self) -> Mapping[str, str]:
        """The paths of the sockets, by store."""
        return {"postgres": str(self._postgres.socket), "redis": str(self._redis.socket)}

    @property
    def stores(self) -> Sequence[Service]:
        return (self._postgres, self._redis, self._clickhouse)

    @property
    def endpoints(self) -> Endpoints:
        return Endpoints(
            postgres_url=self._postgres.url,
            redis_url=self._redis.url,
            clickhouse_url=self._clickhouse.url,
            clickhouse_user=clickhouse.USER,
            clickhouse_password=self._clickhouse.password,
            clickhouse_database=clickhouse.DATABASE,
        )

    async def prepare(self, report: Report) -> None:
        """Fetches nothing; raises RuntimeUnavailable or ConfigError when this user or shell cannot run the stores."""
        self._postgres.require_user()
        require_address_space()

    async def close(self) -> None:
        """Releases the port and removes the sockets; the stores are stopped."""
        remove_sockets(self._data_dir, self.sockets)
        self._port.close()

    def connect(self, settings: Settings) -> Settings:
        """The settings with this runtime's endpoints; cluster settings of the environment do not apply here."""
        return with_endpoints(settings, self.endpoints)


def remove_sockets(data_dir: DataDir, sockets: Mapping[str, str]) -> None:
    """Removes the sockets of stores that do not run, and the folders that were made for them."""
    folders = {postgres.SOCKET: data_dir.postgres, redis.SOCKET: data_dir.run}
    for path in map(Path, sockets.values()):
        if path.name in folders:
            remove_socket(path, folders[path.name])
