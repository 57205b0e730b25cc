"""The catalog of the stores' images, for the docker runtime and for the compose files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from appliance.config import DockerSettings
from appliance.orchestrator.host.memory import MIB, share_of_memory
from appliance.orchestrator.runtimes.docker.clickhouse_xml import server_config

USER = "langfuse"
DATABASE = "langfuse"
PASSWORD_FILE = "/etc/langfuse-local/password"
"""The password's file inside a store's container; `docker inspect` does not show it there."""

HEALTH_INTERVAL_S = 1
HEALTH_TIMEOUT_S = 40
HEALTH_RETRIES = 5
HEALTH_START_S = 60
_HEALTHY_PAUSE_S = 25

_MEMORY_SHARES: Mapping[str, tuple[float, int, int]] = {
    "postgres": (0.06, 256 * MIB, 1024 * MIB),
    "redis": (0.08, 256 * MIB, 2048 * MIB),
    "clickhouse": (0.25, 768 * MIB, 8192 * MIB),
}
# The rest is for the child that rewrites the append-only file, and for client buffers.
_REDIS_DATA_SHARE = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreImage:
    """The parameters of one store's container."""

    name: str
    image: str
    user: str
    """uid:gid that the container runs as."""
    port: int
    volume_path: str
    environ: Mapping[str, str]
    command: tuple[str, ...]
    health: str
    """A shell command that succeeds when the store answers."""
    writable: tuple[str, ...]
    """Directories in memory (tmpfs), as the root file system is read-only."""
    memory_bytes: int
    grace_s: int
    stop_signal: str = "SIGTERM"
    files: Mapping[str, str] = field(default_factory=dict)
    """Configuration files: path in the container to content."""
    open_files: int | None = None
    """Limit of open files to request; not every daemon grants it."""
    shared_memory_bytes: int | None = None


def store_images(settings: DockerSettings, host_bytes: int) -> tuple[StoreImage, ...]:
    """Postgres, Redis and ClickHouse on a host with this much memory (bytes)."""
    return (
        _postgres(settings.postgres_image, _limit("postgres", settings.postgres_memory_mib, host_bytes)),
        _redis(settings.redis_image, _limit("redis", settings.redis_memory_mib, host_bytes)),
        _clickhouse(settings.clickhouse_image, _limit("clickhouse", settings.clickhouse_memory_mib, host_bytes)),
    )


def paced(check: str) -> str:
    """A health check that runs often until it succeeds, and rarely afterwards.

    Docker has one interval for both before version 25, and each check costs some 0.1 s of CPU.
    """
    seen = "/tmp/healthy"
    return (
        f"if [ -e {seen} ]; then sleep {_HEALTHY_PAUSE_S}; fi; "
        f"if {check}; then touch {seen}; else rm -f {seen}; exit 1; fi"
    )


def _limit(name: str, chosen_mib: int, host_bytes: int) -> int:
    fraction, lowest, highest = _MEMORY_SHARES[name]
    return chosen_mib * MIB or share_of_memory(host_bytes, fraction, lowest, highest)


def _postgres(image: str, memory_bytes: int) -> StoreImage:
    settings = {
        "timezone": "UTC",
        "log_timezone": "UTC",
        "max_connections": "100",
        "shared_buffers": f"{memory_bytes // MIB // 8}MB",
        "jit": "off",
    }
    return StoreImage(
        name="postgres",
        image=image,
        user="999:999",
        port=5432,
        volume_path="/var/lib/postgresql/data",
        environ={
            "POSTGRES_USER": USER,
            "POSTGRES_DB": DATABASE,
            "POSTGRES_INITDB_ARGS": "--encoding=UTF8 --no-locale",
            "PGDATA": "/var/lib/postgresql/data",
            "POSTGRES_PASSWORD_FILE": PASSWORD_FILE,
            "TZ": "UTC",
        },
        command=("postgres", *(word for name, value in settings.items() for word in ("-c", f"{name}={value}"))),
        # By TCP: while the first start creates the database, the server listens on its socket only.
        health=f"pg_isready -q -h 127.0.0.1 -U {USER} -d {DATABASE}",
        writable=("/tmp", "/run/postgresql"),
        memory_bytes=memory_bytes,
        grace_s=20,
        stop_signal="SIGINT",  # a fast shutdown, which does not wait for clients
        shared_memory_bytes=128 * MIB,
    )


def _redis(image: str, memory_bytes: int) -> StoreImage:
    options = {
        "appendonly": "yes",
        "appendfsync": "always",
        "maxmemory": f"{int(memory_bytes * _REDIS_DATA_SHARE) // MIB}mb",
        "maxmemory-policy": "noeviction",
        "save": '""',
        "databases": "1",
        "hz": "5",
    }
    arguments = " ".join(f"--{name} {value}" for name, value in options.items())
    return StoreImage(
        name="redis",
        image=image,
        user="999:999",
        port=6379,
        volume_path="/data",
        environ={"TZ": "UTC"},
        # The image has no variable for the password, and an argument would show in `ps`.
        command=("sh", "-c", f"exec redis-server {arguments} - <<END\nrequirepass $(cat {PASSWORD_FILE})\nEND"),
        health=f'REDISCLI_AUTH="$(cat {PASSWORD_FILE})" redis-cli ping | grep -q PONG',
        writable=("/tmp",),
        memory_bytes=memory_bytes,
        grace_s=20,
    )


def _clickhouse(image: str, memory_bytes: int) -> StoreImage:
    return StoreImage(
        name="clickhouse",
        image=image,
        user="101:101",
        port=8123,
        volume_path="/var/lib/clickhouse",
        environ={
            "CLICKHOUSE_USER": USER,
            "CLICKHOUSE_DB": DATABASE,
            "CLICKHOUSE_PASSWORD_FILE": PASSWORD_FILE,
            "TZ": "UTC",
        },
        command=(),
        # Docker may hand its own proxy on to containers.
        health="http_proxy= wget -q -O /dev/null http://127.0.0.1:8123/ping",
        # The image's entry point writes the user's file into users.d: better into memory than onto the disk.
        writable=("/tmp", "/run/clickhouse", "/etc/clickhouse-server/users.d", "/var/log/clickhouse-server"),
        memory_bytes=memory_bytes,
        grace_s=30,
        files={"/etc/clickhouse-server/config.d/langfuse-local.xml": server_config()},
        open_files=262_144,
    )
