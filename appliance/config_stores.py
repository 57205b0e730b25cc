"""Settings of the three stores: addresses, logins, TLS, time-outs, clusters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from appliance.config_values import Between


@dataclass(frozen=True, slots=True)
class Env:
    """Names the environment variable of a field."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresSettings:
    """Postgres; read by the external runtime and by single processes only."""

    url: Annotated[str, Env("DATABASE_URL")] = ""
    """`postgresql://user:password@host:port/database`, with libpq's parameters (`sslmode`, `sslrootcert`, `sslcert`, `sslkey`) or Prisma's (`pgbouncer`, `connection_limit`, `sslaccept`); set by the embedded and docker runtimes."""  # noqa: E501
    direct_url: Annotated[str, Env("DIRECT_URL")] = ""
    """Address for migrations, where `DATABASE_URL` leads to a pooler or to a role that may not change tables."""
    host: Annotated[str, Env("DATABASE_HOST")] = ""
    """Host, `host:port` too, when no `DATABASE_URL` is given."""
    username: Annotated[str, Env("DATABASE_USERNAME")] = ""
    """User name, when no `DATABASE_URL` is given."""
    password: Annotated[str, Env("DATABASE_PASSWORD")] = ""
    """Password, when no `DATABASE_URL` is given."""
    name: Annotated[str, Env("DATABASE_NAME")] = "postgres"
    """Database, when no `DATABASE_URL` is given."""
    arguments: Annotated[str, Env("DATABASE_ARGS")] = ""
    """Parameters of the address, after its question mark, when no `DATABASE_URL` is given."""
    pool_size: Annotated[int, Env("LANGFUSE_LOCAL_POSTGRES_POOL_SIZE"), Between(1)] = 4
    """Connections of one process to Postgres, at most; `connection_limit` in the address overrides it."""
    connect_timeout_s: Annotated[int, Env("LANGFUSE_LOCAL_POSTGRES_CONNECT_TIMEOUT_S"), Between(1)] = 3
    """Time limit of one attempt to connect, seconds."""
    read_timeout_ms: Annotated[int, Env("LANGFUSE_LOCAL_POSTGRES_READ_TIMEOUT_MS"), Between(1)] = 2500
    """Milliseconds that a statement may take before Postgres counts as unavailable."""
    statement_timeout_ms: Annotated[int, Env("LANGFUSE_LOCAL_POSTGRES_STATEMENT_TIMEOUT_MS"), Between(0)] = 30_000
    """Milliseconds after which the server cancels a statement; not sent through a pooler."""
    pooler: Annotated[bool, Env("LANGFUSE_LOCAL_POSTGRES_POOLER")] = False
    """Whether connections go through a pooler in transaction mode; like `pgbouncer=true` in the address."""

    @property
    def address(self) -> str:
        """The address, from `DATABASE_URL` or from the single values; empty when neither is set."""
        if self.url or not self.host:
            return self.url
        password = f":{quote(self.password, safe='')}" if self.password else ""
        login = f"{quote(self.username, safe='')}{password}@" if self.username else ""
        arguments = f"?{self.arguments}" if self.arguments else ""
        return f"postgresql://{login}{self.host}/{quote(self.name, safe='')}{arguments}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisSettings:
    """Redis: one server, a cluster, or a master found through sentinels."""

    connection_string: Annotated[str, Env("REDIS_CONNECTION_STRING")] = ""
    """`redis://user:password@host:port/0` (`rediss://` for TLS), `unix://:password@/path/redis.sock?db=0`, `redis+cluster://host:port,host:port` or `redis+sentinel://host:port,host:port/master/0` (`rediss+...` for TLS); overrides the single values below."""  # noqa: E501
    host: Annotated[str, Env("REDIS_HOST")] = ""
    """Host name, when no connection string is given."""
    port: Annotated[int, Env("REDIS_PORT"), Between(1, 65535)] = 6379
    """Port, when no connection string is given."""
    username: Annotated[str, Env("REDIS_USERNAME")] = ""
    """User name, when no connection string is given."""
    auth: Annotated[str, Env("REDIS_AUTH")] = ""
    """Password, when no connection string is given."""
    tls_enabled: Annotated[bool, Env("REDIS_TLS_ENABLED")] = False
    """Whether to speak TLS, when no connection string is given."""
    tls_ca_path: Annotated[str, Env("REDIS_TLS_CA_PATH")] = ""
    """File of certificate authorities to trust besides the system's."""
    tls_cert_path: Annotated[str, Env("REDIS_TLS_CERT_PATH")] = ""
    """File of the client certificate, for servers that require one."""
    tls_key_path: Annotated[str, Env("REDIS_TLS_KEY_PATH")] = ""
    """File of the client certificate's key."""
    tls_key_passphrase: Annotated[str, Env("REDIS_TLS_KEY_PASSPHRASE")] = ""
    """Passphrase of that key."""
    tls_server_name: Annotated[str, Env("REDIS_TLS_SERVERNAME")] = ""
    """Name expected in the server's certificate, when it is not the host's."""
    tls_reject_unauthorized: Annotated[bool, Env("REDIS_TLS_REJECT_UNAUTHORIZED")] = True
    """Whether to verify the server's certificate; false gives up the protection of TLS."""
    tls_check_server_identity: Annotated[bool, Env("REDIS_TLS_CHECK_SERVER_IDENTITY")] = True
    """Whether to verify the name in the server's certificate; false for clusters addressed by IP."""
    tls_ciphers: Annotated[str, Env("REDIS_TLS_CIPHERS")] = ""
    """Ciphers of TLS 1.2, in OpenSSL's notation."""
    cluster_enabled: Annotated[bool, Env("REDIS_CLUSTER_ENABLED")] = False
    """Whether to use the nodes below as a Redis Cluster."""
    cluster_nodes: Annotated[str, Env("REDIS_CLUSTER_NODES")] = ""
    """Some nodes of the cluster, `host:port,host:port`; the others are discovered."""
    sentinel_enabled: Annotated[bool, Env("REDIS_SENTINEL_ENABLED")] = False
    """Whether to find the master through sentinels."""
    sentinel_nodes: Annotated[str, Env("REDIS_SENTINEL_NODES")] = ""
    """The sentinels, `host:port,host:port`."""
    sentinel_master_name: Annotated[str, Env("REDIS_SENTINEL_MASTER_NAME")] = ""
    """Name of the master at the sentinels."""
    sentinel_username: Annotated[str, Env("REDIS_SENTINEL_USERNAME")] = ""
    """User name at the sentinels."""
    sentinel_password: Annotated[str, Env("REDIS_SENTINEL_PASSWORD")] = ""
    """Password at the sentinels."""
    socket_timeout_ms: Annotated[int, Env("REDIS_SOCKET_TIMEOUT_MS"), Between(1)] = 15_000
    """Milliseconds without an answer after which a connection is closed."""

    @property
    def url(self) -> str:
        """The connection string of one server, built from the single values where none is given; empty when not set."""
        if self.connection_string or not self.host:
            return self.connection_string
        scheme = "rediss" if self.tls_enabled else "redis"
        login = f"{quote(self.username, safe='')}:{quote(self.auth, safe='')}@" if self.auth else ""
        return f"{scheme}://{login}{self.host}:{self.port}/0"

    @property
    def is_given(self) -> bool:
        """Whether there is any address."""
        nodes = (self.cluster_enabled and self.cluster_nodes) or (self.sentinel_enabled and self.sentinel_nodes)
        return bool(self.url or nodes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClickHouseSettings:
    """ClickHouse."""

    url: Annotated[str, Env("CLICKHOUSE_URL")] = ""
    """HTTP address, `http://host:8123` or `https://host:8443`."""
    migration_url: Annotated[str, Env("CLICKHOUSE_MIGRATION_URL")] = ""
    """HTTP address for migrations, with the login of a user who may change tables: `https://user:password@host:8443`. Addresses of the native protocol are ignored; `CLICKHOUSE_URL` is used then."""  # noqa: E501
    user: Annotated[str, Env("CLICKHOUSE_USER")] = "default"
    """User name."""
    password: Annotated[str, Env("CLICKHOUSE_PASSWORD")] = ""
    """Password."""
    database: Annotated[str, Env("CLICKHOUSE_DB")] = "default"
    """Database of all tables; created if missing."""
    tls_ca_path: Annotated[str, Env("LANGFUSE_LOCAL_CLICKHOUSE_TLS_CA_PATH")] = ""
    """File of certificate authorities to trust besides the system's."""
    tls_cert_path: Annotated[str, Env("LANGFUSE_LOCAL_CLICKHOUSE_TLS_CERT_PATH")] = ""
    """File of the client certificate, for servers that require one."""
    tls_key_path: Annotated[str, Env("LANGFUSE_LOCAL_CLICKHOUSE_TLS_KEY_PATH")] = ""
    """File of the client certificate's key."""
    tls_verify: Annotated[bool, Env("LANGFUSE_LOCAL_CLICKHOUSE_TLS_VERIFY")] = True
    """Whether to verify the server's certificate; false gives up the protection of TLS."""
    tls_server_name: Annotated[str, Env("LANGFUSE_LOCAL_CLICKHOUSE_TLS_SERVER_NAME")] = ""
    """Name expected in the server's certificate, when it is not the host's."""
    connect_timeout_s: Annotated[int, Env("LANGFUSE_LOCAL_CLICKHOUSE_CONNECT_TIMEOUT_S"), Between(1)] = 5
    """Time limit of one attempt to connect, seconds."""
    request_timeout_s: Annotated[int, Env("LANGFUSE_LOCAL_CLICKHOUSE_REQUEST_TIMEOUT_S"), Between(1)] = 60
    """Seconds without an answer after which a request fails."""
    max_connections: Annotated[int, Env("CLICKHOUSE_MAX_OPEN_CONNECTIONS"), Between(1)] = 16
    """Connections of one process to ClickHouse, at most."""
    cluster_enabled: Annotated[bool, Env("CLICKHOUSE_CLUSTER_ENABLED")] = False
    """Whether tables are Replicated and Distributed, and statements run ON CLUSTER."""
    cluster_name: Annotated[str, Env("CLICKHOUSE_CLUSTER_NAME")] = "default"
    """Name of the cluster."""
    insert_quorum: Annotated[str, Env("LANGFUSE_LOCAL_CLICKHOUSE_INSERT_QUORUM")] = "auto"
    """Replicas that must have a block before it counts as written, in a cluster: a number, `auto` for the majority, `0` for one."""  # noqa: E501
