"""All settings, their defaults and their environment variables; the only module that reads the environment."""

from __future__ import annotations

import dataclasses
import os
import tomllib
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from appliance.config_stores import ClickHouseSettings, Env, PostgresSettings, RedisSettings
from appliance.errors import ConfigError
from appliance.paths import default_config_file, default_data_dir

__all__ = [
    "ClickHouseSettings",
    "DockerSettings",
    "Env",
    "IngestionSettings",
    "InitSettings",
    "PostgresSettings",
    "RedisSettings",
    "Runtime",
    "Settings",
    "environment_names",
    "load_settings",
    "to_environ",
]

Runtime = Literal["embedded", "docker", "external"]
RuntimeChoice = Literal["auto", "embedded", "docker", "external"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InitSettings:
    """Headless set-up: what the first start creates."""

    org_id: Annotated[str, Env("LANGFUSE_INIT_ORG_ID")] = ""
    """Organization id; without it the other LANGFUSE_INIT values are ignored with a warning."""
    org_name: Annotated[str, Env("LANGFUSE_INIT_ORG_NAME")] = "Provisioned Org"
    """Organization name."""
    project_id: Annotated[str, Env("LANGFUSE_INIT_PROJECT_ID")] = ""
    """Project id."""
    project_name: Annotated[str, Env("LANGFUSE_INIT_PROJECT_NAME")] = "Provisioned Project"
    """Project name."""
    project_retention_days: Annotated[int, Env("LANGFUSE_INIT_PROJECT_RETENTION")] = 0
    """Days that the project's data is kept; 0 keeps it for ever."""
    public_key: Annotated[str, Env("LANGFUSE_INIT_PROJECT_PUBLIC_KEY")] = ""
    """Public key of the project's key pair."""
    secret_key: Annotated[str, Env("LANGFUSE_INIT_PROJECT_SECRET_KEY")] = ""
    """Secret key of the project's key pair."""
    user_email: Annotated[str, Env("LANGFUSE_INIT_USER_EMAIL")] = ""
    """E-mail of the first user, made owner of the organization."""
    user_name: Annotated[str, Env("LANGFUSE_INIT_USER_NAME")] = "Provisioned User"
    """Name of the first user."""
    user_password: Annotated[str, Env("LANGFUSE_INIT_USER_PASSWORD")] = ""
    """Password of the first user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestionSettings:
    """Bounds of the way in."""

    max_body_bytes: Annotated[int, Env("LANGFUSE_LOCAL_MAX_BODY_BYTES")] = 64 * 1024 * 1024
    """Largest request body, after decompression; larger ones get 413."""
    max_inflight_bytes: Annotated[int, Env("LANGFUSE_LOCAL_MAX_INFLIGHT_BYTES")] = 384 * 1024 * 1024
    """Memory that the requests in the hands of one web process may take together; what does not fit gets 503."""
    max_backlog_bytes: Annotated[int, Env("LANGFUSE_LOCAL_MAX_BACKLOG_BYTES")] = 256 * 1024 * 1024
    """Backlog in Redis from which web answers 503 with Retry-After instead of accepting more."""
    max_backlog_entries: Annotated[int, Env("LANGFUSE_LOCAL_MAX_BACKLOG_ENTRIES")] = 100_000
    """Same, counted in requests."""
    redis_replicas: Annotated[int, Env("LANGFUSE_LOCAL_REDIS_REPLICAS")] = 0
    """Replicas of Redis that must have a request before it is answered; with 1 a failover loses nothing."""
    max_attempts: Annotated[int, Env("LANGFUSE_LOCAL_MAX_ATTEMPTS")] = 3
    """How often one payload is tried before it becomes a dead letter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Settings:
    """A bucket for media; without its name media are files below the data directory."""

    bucket: Annotated[str, Env("LANGFUSE_S3_MEDIA_UPLOAD_BUCKET")] = ""
    """Name of the bucket, which must exist."""
    prefix: Annotated[str, Env("LANGFUSE_S3_MEDIA_UPLOAD_PREFIX")] = ""
    """What every key in the bucket begins with, such as `media/`."""
    region: Annotated[str, Env("LANGFUSE_S3_MEDIA_UPLOAD_REGION")] = ""
    """Region; us-east-1 when not given."""
    endpoint: Annotated[str, Env("LANGFUSE_S3_MEDIA_UPLOAD_ENDPOINT")] = ""
    """Address of a server that speaks S3's API, such as MinIO; only web and worker have to reach it."""
    access_key_id: Annotated[str, Env("LANGFUSE_S3_MEDIA_UPLOAD_ACCESS_KEY_ID")] = ""
    """Access key; without it AWS's own variables, web identity and instance roles are tried."""
    secret_access_key: Annotated[str, Env("LANGFUSE_S3_MEDIA_UPLOAD_SECRET_ACCESS_KEY")] = ""
    """Secret of the access key."""
    force_path_style: Annotated[bool, Env("LANGFUSE_S3_MEDIA_UPLOAD_FORCE_PATH_STYLE")] = False
    """Whether the bucket stands in the path instead of the host name; MinIO needs it."""
    encryption: Annotated[str, Env("LANGFUSE_S3_MEDIA_UPLOAD_SSE")] = ""
    """Encryption at rest to ask for: `AES256` or `aws:kms`."""
    kms_key_id: Annotated[str, Env("LANGFUSE_S3_MEDIA_UPLOAD_SSE_KMS_KEY_ID")] = ""
    """Key for `aws:kms`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaSettings:
    """Files that traces and dataset items refer to."""

    max_content_length: Annotated[int, Env("LANGFUSE_S3_MEDIA_MAX_CONTENT_LENGTH")] = 1_000_000_000
    """Largest file, bytes."""
    link_valid_s: Annotated[int, Env("LANGFUSE_S3_MEDIA_DOWNLOAD_URL_EXPIRY_SECONDS")] = 3600
    """How long a link to a file can be opened, seconds."""
    s3: S3Settings = field(default_factory=S3Settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerSettings:
    """The docker runtime; nothing else reads them."""

    host: Annotated[str, Env("DOCKER_HOST")] = ""
    """Socket of Docker or of Podman, such as `unix:///run/user/1000/podman/podman.sock`; found when not given."""
    postgres_image: Annotated[str, Env("LANGFUSE_LOCAL_DOCKER_POSTGRES_IMAGE")] = "postgres:17"
    """Image of Postgres; a digest (`postgres:17@sha256:...`) pins it for good."""
    redis_image: Annotated[str, Env("LANGFUSE_LOCAL_DOCKER_REDIS_IMAGE")] = "redis:7"
    """Image of Redis or Valkey."""
    clickhouse_image: Annotated[str, Env("LANGFUSE_LOCAL_DOCKER_CLICKHOUSE_IMAGE")] = (
        "clickhouse/clickhouse-server:26.3"
    )
    """Image of ClickHouse, 26.3 or newer."""
    postgres_memory_mib: Annotated[int, Env("LANGFUSE_LOCAL_DOCKER_POSTGRES_MEMORY_MIB")] = 0
    """Memory limit of the Postgres container, MiB; 0 takes a share of the host's memory."""
    redis_memory_mib: Annotated[int, Env("LANGFUSE_LOCAL_DOCKER_REDIS_MEMORY_MIB")] = 0
    """Same for Redis."""
    clickhouse_memory_mib: Annotated[int, Env("LANGFUSE_LOCAL_DOCKER_CLICKHOUSE_MEMORY_MIB")] = 0
    """Same for ClickHouse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set; loaded once at the entry point and passed on."""

    data_dir: Annotated[Path, Env("LANGFUSE_LOCAL_DATA_DIR")] = field(default_factory=default_data_dir)
    """Directory of all data, logs and secrets of one appliance."""
    runtime: Annotated[RuntimeChoice, Env("LANGFUSE_LOCAL_RUNTIME")] = "auto"
    """How the stores run: embedded (child processes), docker, external (endpoints from the environment), or auto: as
    the data directory ran before, embedded at first."""
    host: Annotated[str, Env("LANGFUSE_LOCAL_HOST")] = "127.0.0.1"
    """Address that web listens on."""
    port: Annotated[int, Env("LANGFUSE_LOCAL_PORT")] = 0
    """Port that web listens on; 0 takes 3000, or the next free one."""
    otlp_grpc_port: Annotated[int, Env("LANGFUSE_LOCAL_OTLP_GRPC_PORT")] = 0
    """Port for OTLP over gRPC on the same address, usually 4317; 0 leaves it off."""
    workers: Annotated[int, Env("LANGFUSE_LOCAL_WORKERS")] = 1
    """Number of worker processes."""
    web_workers: Annotated[int, Env("LANGFUSE_LOCAL_WEB_WORKERS")] = 1
    """Number of web processes behind the one port."""
    salt: Annotated[str, Env("SALT")] = ""
    """Salt of the API keys' fast hashes; generated by the embedded and docker runtimes."""
    encryption_key: Annotated[str, Env("ENCRYPTION_KEY")] = ""
    """64 hex characters that encrypt stored secrets; generated by the embedded and docker runtimes."""
    public_url: Annotated[str, Env("NEXTAUTH_URL")] = ""
    """Address that users reach web by, when it is not http://host:port."""
    notify_socket: Annotated[str, Env("NOTIFY_SOCKET")] = ""
    """Where a service manager is told that the appliance is ready; systemd sets it."""
    attach_url: Annotated[str, Env("LANGFUSE_LOCAL_ATTACH_URL")] = ""
    """Server that `tui` and the reading commands speak to without `--url`, with the first project's keys."""
    log_level: Annotated[str, Env("LANGFUSE_LOG_LEVEL")] = "info"
    """trace, debug, info, warn or error."""
    postgres: PostgresSettings = field(default_factory=PostgresSettings)
    redis: RedisSettings = field(default_factory=RedisSettings)
    clickhouse: ClickHouseSettings = field(default_factory=ClickHouseSettings)
    init: InitSettings = field(default_factory=InitSettings)
    ingestion: IngestionSettings = field(default_factory=IngestionSettings)
    media: MediaSettings = field(default_factory=MediaSettings)
    docker: DockerSettings = field(default_factory=DockerSettings)


def load_settings(
    flags: Mapping[str, Any] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    config_file: Path | None = None,
) -> Settings:
    """Settings from defaults, `config.toml`, environment and flags, each winning over the one before.

    `flags` maps field names of `Settings` to values; None means not given.
    Raises ConfigError that names the setting and its source.
    """
    environ = os.environ if environ is None else environ
    path = default_config_file() if config_file is None else config_file
    settings: Settings = _build(Settings, _read_toml(path), environ, str(path))
    given = {key: value for key, value in (flags or {}).items() if value is not None}
    settings = dataclasses.replace(settings, **given)
    return dataclasses.replace(settings, data_dir=settings.data_dir.expanduser().absolute())


def environment_names() -> list[str]:
    """Every environment variable that settings are read from, in order of the fields."""
    return [name for name, _ in _walk(Settings)]


def to_environ(settings: Settings) -> dict[str, str]:
    """The environment variables from which a child process reads the same settings; empty values are left out."""
    found: dict[str, str] = {}
    for name, path in _walk(Settings):
        value: Any = settings
        for step in path.split("."):
            value = getattr(value, step)
        if value != "":
            found[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return found


def _walk(cls: type[Any]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, hint in typing.get_type_hints(cls, include_extras=True).items():
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            found += [(env, f"{name}.{path}") for env, path in _walk(hint)]
        else:
            found.append((hint.__metadata__[0].name, name))
    return found


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.", hint="Mend the file or remove it.") from error


def _build(cls: type[Any], table: Mapping[str, Any], environ: Mapping[str, str], source: str) -> Any:
    hints = typing.get_type_hints(cls, include_extras=True)
    if unknown := sorted(set(table) - set(hints)):
        raise ConfigError(f"{source} has an unknown setting {unknown[0]!r}.", hint=f"Known here: {', '.join(hints)}.")
    values: dict[str, Any] = {}
    for name, hint in hints.items():
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            values[name] = _build(hint, table.get(name, {}), environ, f"{source} [{name}]")
            continue
        kind, variable = typing.get_args(hint)[0], hint.__metadata__[0].name
        if given := _given(environ, variable):
            values[name] = _convert(kind, given, variable)
        elif name in table:
            values[name] = _convert(kind, table[name], f"{source}: {name}")
    return cls(**values)


def _given(environ: Mapping[str, str], variable: str) -> str:
    """The variable's value, else what the file holds that NAME_FILE names: how containers hand over secrets."""
    path = environ.get(f"{variable}_FILE", "")
    if environ.get(variable) or not path:
        return environ.get(variable, "")
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{variable}_FILE names {path}, which cannot be read: {error}.") from error


def _convert(kind: Any, value: Any, source: str) -> Any:
    if typing.get_origin(kind) is Literal:
        choices = typing.get_args(kind)
        if value not in choices:
            raise ConfigError(f"{source} is {value!r}, but must be one of {', '.join(choices)}.")
        return value
    if kind is bool:
        words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
        try:
            return words[str(value).lower()]
        except KeyError:
            raise ConfigError(f"{source} is {value!r}, but must be true or false.") from None
    try:
        return kind(value)
    except (TypeError, ValueError):
        raise ConfigError(f"{source} is {value!r}, but must be a {kind.__name__}.") from None
