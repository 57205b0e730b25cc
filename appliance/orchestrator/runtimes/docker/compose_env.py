"""The files beside the compose files: one per secret, and .env with the options, each with a comment."""

from __future__ import annotations

from appliance.config import FIRST_ORGANIZATION, FIRST_PROJECT
from appliance.data_dir.secrets import Secrets
from appliance.orchestrator.runtimes.docker.images import DATABASE, USER

PLACEHOLDER = Secrets(
    postgres_password="change-me",
    redis_password="change-me",
    clickhouse_password="change-me",
    salt="change-me",
    encryption_key="64-hex-characters",
    public_key="pk-lf-change-me",
    secret_key="sk-lf-change-me",
)
"""Placeholders for the secrets in .env.example."""


SECRETS = "secrets"
"""The directory of the secret files, beside the compose files."""


def secret_texts(secrets: Secrets, *, is_external: bool = False) -> dict[str, str]:
    """The secret files by name, for docker-compose.yml or for docker-compose.external.yml."""
    own = {
        "salt": secrets.salt,
        "encryption_key": secrets.encryption_key,
        "langfuse_init_project_secret_key": secrets.secret_key,
    }
    if is_external:
        return own
    return {
        "postgres_password": secrets.postgres_password,
        "redis_password": secrets.redis_password,
        "clickhouse_password": secrets.clickhouse_password,
        "database_url": f"postgresql://{USER}:{secrets.postgres_password}@postgres:5432/{DATABASE}",
        "redis_connection_string": f"redis://:{secrets.redis_password}@redis:6379/0",
        **own,
    }


def env_text(secrets: Secrets, *, is_external: bool = False) -> str:
    """The content of .env for docker-compose.yml, or for docker-compose.external.yml."""
    return (
        f"{_EXTERNAL_STORES if is_external else ''}{_project(secrets)}{_OPTIONS}{'' if is_external else _STORE_OPTIONS}"
    )


def _project(secrets: Secrets) -> str:
    return (
        "# The first project and its public key, made by the first start; secrets/ has the secret key.\n"
        f"LANGFUSE_INIT_ORG_ID={FIRST_ORGANIZATION}\n"
        "LANGFUSE_INIT_ORG_NAME=Local\n"
        f"LANGFUSE_INIT_PROJECT_ID={FIRST_PROJECT}\n"
        'LANGFUSE_INIT_PROJECT_NAME="My project"\n'
        f"LANGFUSE_INIT_PROJECT_PUBLIC_KEY={secrets.public_key}\n\n"
    )


_EXTERNAL_STORES = """\
# The file that `docker compose` reads; append :docker-compose.override.yml for changes of your own.
COMPOSE_FILE=docker-compose.external.yml

# The stores, in any form of docs/deploy.md (also REDIS_HOST, DATABASE_HOST ...). A value with $ needs single quotes.
# REDIS_CONNECTION_STRING takes rediss:// for TLS; the user of ClickHouse must be able to make the database.
DATABASE_URL=postgresql://user:password@postgres.example.com:5432/langfuse
REDIS_CONNECTION_STRING=redis://:password@redis.example.com:6379/0
CLICKHOUSE_URL=https://clickhouse.example.com:8443
CLICKHOUSE_USER=langfuse
CLICKHOUSE_PASSWORD=change-me
CLICKHOUSE_DB=langfuse
# A directory with authorities and client certificates of the stores: in the containers it is /store-certificates.
# STORE_CERTIFICATES=./store-certificates

"""
_OPTIONS = """\
# Where users reach it. 127.0.0.1 keeps it on this machine; 0.0.0.0 opens it to the network. Of IPv6 in brackets: [::1].
NEXTAUTH_URL=https://localhost:8443
BIND_ADDRESS=127.0.0.1
HTTPS_PORT=8443
# The name in the self-signed certificate, and a directory with tls.crt and tls.key to use in its place.
TLS_NAME=localhost
# CERTIFICATES=./certificates

# Memory limits.
# WEB_MEMORY=1g
# WORKER_MEMORY=1g

# Images that the builds start from; a digest (python:3.13-slim@sha256:...) pins one for good.
# PYTHON_IMAGE=python:3.13-slim
# NGINX_IMAGE=nginx:1.28
"""
_STORE_OPTIONS = """
# The stores' images and memory limits.
# LANGFUSE_LOCAL_DOCKER_POSTGRES_IMAGE=postgres:17
# LANGFUSE_LOCAL_DOCKER_REDIS_IMAGE=redis:7
# LANGFUSE_LOCAL_DOCKER_CLICKHOUSE_IMAGE=clickhouse/clickhouse-server:26.3
# LANGFUSE_LOCAL_DOCKER_POSTGRES_MEMORY_MIB=512
# LANGFUSE_LOCAL_DOCKER_CLICKHOUSE_MEMORY_MIB=2048
"""
