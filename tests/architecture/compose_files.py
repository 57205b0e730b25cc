"""The compose files, generated from the docker runtime's catalog of images.

`python -m tests.architecture.compose_files compose` writes them. Only developers generate them, so neither this module
nor PyYAML is in the wheel; `langfuse-local compose init` writes just .env and the secrets.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from appliance.config import DockerSettings
from appliance.orchestrator.host.memory import MIB
from appliance.orchestrator.runtimes.docker.clickhouse_xml import server_config
from appliance.orchestrator.runtimes.docker.compose_env import PLACEHOLDER, SECRETS, env_text, secret_texts
from appliance.orchestrator.runtimes.docker.images import (
    DATABASE,
    HEALTH_INTERVAL_S,
    HEALTH_RETRIES,
    HEALTH_START_S,
    HEALTH_TIMEOUT_S,
    PASSWORD_FILE,
    USER,
    StoreImage,
    paced,
    store_images,
)

CLICKHOUSE_CONFIG = "clickhouse/langfuse-local.xml"
COMPOSE_MEMORY = DockerSettings(postgres_memory_mib=512, redis_memory_mib=512, clickhouse_memory_mib=2048)
"""Limits that suit a host of 8 GB."""

_HEADER = """\
# {title}
# Generated: python -m tests.architecture.compose_files compose
# Your own changes belong into docker-compose.override.yml and .env (docs/deploy.md).
"""
_HEALTHCHECK = "python -I -S /opt/langfuse-local/healthcheck.py"
_CONFINED = {
    "read_only": True,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
    "restart": "unless-stopped",
    "logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}},
}
"""What every container is denied, and how it starts again."""
_LONGEST_LINE = 90
_SECRETS_FOLDER = "/run/secrets/"
"""Where compose puts a container's secrets."""


def compose_with_stores() -> str:
    """The text of docker-compose.yml: everything in containers."""
    stores = store_images(COMPOSE_MEMORY, 0)
    return _file(
        "Everything in containers: the three stores, web, worker and nginx.",
        name="langfuse-local",
        settings=_settings_with_stores(),
        secrets=list(secret_texts(PLACEHOLDER)),
        services={store.name: _store(store) for store in stores},
        networks={"stores": {"internal": True}, "public": None},
        volumes=[store.name for store in stores],
    )


def compose_external() -> str:
    """The text of docker-compose.external.yml: the stores are somebody else's."""
    return _file(
        "Web, worker and nginx in containers; Postgres, Redis and ClickHouse are elsewhere, as .env says.",
        name="langfuse-local-external",
        settings=_settings(),
        secrets=list(secret_texts(PLACEHOLDER, is_external=True)),
        services={},
        networks={"public": None},
        volumes=["store-certificates"],
    )


def write_files(folder: Path) -> None:
    """Writes both compose files, ClickHouse's configuration and .env.example below `folder`."""
    (folder / "clickhouse").mkdir(parents=True, exist_ok=True)
    (folder / "docker-compose.yml").write_text(compose_with_stores())
    (folder / "docker-compose.external.yml").write_text(compose_external())
    (folder / CLICKHOUSE_CONFIG).write_text(server_config())
    (folder / ".env.example").write_text(env_text(PLACEHOLDER))


def _file(
    title: str,
    *,
    name: str,
    settings: Mapping[str, str],
    secrets: list[str],
    services: Mapping[str, Any],
    networks: Mapping[str, Any],
    volumes: list[str],
) -> str:
    build = _build("..", "compose/Dockerfile", "${PYTHON_IMAGE:-python:3.13-slim}")
    document = {
        "name": name,
        "x-confined": _CONFINED,
        "x-settings": settings,
        "x-build": build,
        "services": {**services, **_application(list(services), list(networks), settings, build), "nginx": _nginx()},
        "networks": networks,
        "volumes": dict.fromkeys([*volumes, "data", "certificates"]),
        "secrets": {name: {"file": f"./{SECRETS}/{name}"} for name in secrets},
    }
    return _HEADER.format(title=title) + _yaml(document, {"confined": _CONFINED, "settings": settings, "build": build})


class _Merge(str):
    """The key of YAML that includes another mapping."""


def _yaml(document: Mapping[str, Any], anchors: Mapping[str, object]) -> str:
    """A document as people like to read it: keys in their order, short lists on one line, `anchors` written once."""
    names = {id(value): name for name, value in anchors.items()}

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: object) -> bool:
            return id(data) not in names

        def generate_anchor(self, node: yaml.Node) -> str:
            return next(names[key] for key, known in self.represented_objects.items() if known is node)

    def represent_list(dumper: yaml.SafeDumper, items: list[Any]) -> yaml.Node:
        is_short = all(isinstance(item, str) for item in items) and sum(map(len, items)) < _LONGEST_LINE
        return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=is_short)

    Dumper.add_representer(list, represent_list)
    Dumper.add_representer(_Merge, lambda dumper, _: dumper.represent_scalar("tag:yaml.org,2002:merge", "<<"))
    Dumper.add_representer(type(None), lambda dumper, _: dumper.represent_scalar("tag:yaml.org,2002:null", ""))
    return yaml.dump(document, Dumper=Dumper, sort_keys=False, default_flow_style=False, width=1_000)


def _store(store: StoreImage) -> dict[str, Any]:
    setting = f"LANGFUSE_LOCAL_DOCKER_{store.name.upper()}"
    mounts = [f"{store.name}:{store.volume_path}"]
    mounts += [f"./{CLICKHOUSE_CONFIG}:{path}:ro" for path in store.files]
    # Redis is told its memory on its command line, so only the others' limits can be changed from outside.
    mib = store.memory_bytes // MIB
    described: dict[str, Any] = {
        _Merge("<<"): _CONFINED,
        "image": f"${{{setting}_IMAGE:-{store.image}}}",
        "user": store.user,
        "environment": dict(store.environ),
        "secrets": [{"source": f"{store.name}_password", "target": PASSWORD_FILE}],
        "command": [_literal(word) for word in store.command],
        "volumes": mounts,
        "tmpfs": list(store.writable),
        "networks": ["stores"],
        "healthcheck": _health(store.health),
        "mem_limit": f"{mib}m" if store.name == "redis" else f"${{{setting}_MEMORY_MIB:-{mib}}}m",
        "shm_size": f"{store.shared_memory_bytes // MIB}m" if store.shared_memory_bytes else None,
        "stop_signal": store.stop_signal,
        "stop_grace_period": f"{store.grace_s}s",
    }
    return {key: value for key, value in described.items() if value not in (None, [])}


def _application(
    stores: list[str], networks: list[str], settings: Mapping[str, str], build: Mapping[str, Any]
) -> dict[str, Any]:
    secrets = [value.removeprefix(_SECRETS_FOLDER) for name, value in settings.items() if name.endswith("_FILE")]
    migrated = {"migrate": {"condition": "service_completed_successfully"}}
    ready = {store: {"condition": "service_healthy"} for store in stores}
    mounts = ["data:/data"]
    if not stores:  # authorities and client certificates of somebody else's stores
        mounts.append("${STORE_CERTIFICATES:-store-certificates}:/store-certificates:ro")
    shared = _own(networks, secrets, mounts) | {"build": build, "environment": settings}
    migrate = shared | {"command": ["migrate"], "depends_on": ready, "restart": "on-failure:5"}
    web = shared | {"command": ["web", "--host", "0.0.0.0", "--port", "3000"], "depends_on": migrated}
    worker = shared | {"depends_on": migrated}
    # A name that stays when the container starts again, and differs between the copies of `--scale worker=3`.
    worker["entrypoint"] = ["sh", "-c", 'exec langfuse-local worker --name "worker-$$HOSTNAME"']
    if not stores:
        del migrate["depends_on"]
    return {
        "migrate": migrate,
        "web": web | {"healthcheck": _health(f"{_HEALTHCHECK} web"), "mem_limit": "${WEB_MEMORY:-1g}"},
        "worker": worker
        | {"healthcheck": _health(f'{_HEALTHCHECK} worker "worker-$HOSTNAME"'), "mem_limit": "${WORKER_MEMORY:-1g}"},
    }


def _own(networks: list[str], secrets: list[str], mounts: list[str]) -> dict[str, Any]:
    """What migrate, web and worker share."""
    return {
        _Merge("<<"): _CONFINED,
        "image": "${LANGFUSE_LOCAL_IMAGE:-langfuse-local:local}",
        "env_file": [".env"],
        "secrets": secrets,
        "volumes": mounts,
        "tmpfs": ["/tmp"],
        "networks": networks,
        "stop_grace_period": "30s",
    }


def _nginx() -> dict[str, Any]:
    return {
        _Merge("<<"): _CONFINED,
        "image": "${LANGFUSE_LOCAL_NGINX_IMAGE:-langfuse-local-nginx:local}",
        "build": _build("nginx", "Dockerfile", "${NGINX_IMAGE:-nginx:1.28}"),
        "depends_on": {"web": {"condition": "service_healthy"}},
        "environment": {"TLS_NAME": "${TLS_NAME:-localhost}"},
        "ports": ["${BIND_ADDRESS:-127.0.0.1}:${HTTPS_PORT:-8443}:8443"],
        "volumes": ["${CERTIFICATES:-certificates}:/certificates"],
        "tmpfs": ["/tmp"],
        "networks": ["public"],
        "healthcheck": _health("curl -fsS --noproxy '*' http://127.0.0.1:8080/alive"),
        "mem_limit": "256m",
    }


def _settings_with_stores() -> dict[str, str]:
    return {
        **_files("DATABASE_URL", "REDIS_CONNECTION_STRING"),
        "CLICKHOUSE_URL": "http://clickhouse:8123",
        "CLICKHOUSE_USER": USER,
        **_files("CLICKHOUSE_PASSWORD"),
        "CLICKHOUSE_DB": DATABASE,
        **_settings(),
    }


def _settings() -> dict[str, str]:
    return {
        **_files("SALT", "ENCRYPTION_KEY", "LANGFUSE_INIT_PROJECT_SECRET_KEY"),
        "LANGFUSE_INIT_PROJECT_PUBLIC_KEY": _required("LANGFUSE_INIT_PROJECT_PUBLIC_KEY"),
        "NEXTAUTH_URL": "${NEXTAUTH_URL:-https://localhost:8443}",
        "LANGFUSE_LOCAL_DATA_DIR": "/data",
        # For `docker compose exec web langfuse-local tui` and the other commands that talk to web.
        "LANGFUSE_LOCAL_ATTACH_URL": "http://web:3000",
    }


def _files(*variables: str) -> dict[str, str]:
    return {f"{variable}_FILE": f"{_SECRETS_FOLDER}{variable.lower()}" for variable in variables}


def _build(context: str, dockerfile: str, base: str) -> dict[str, Any]:
    return {"context": context, "dockerfile": dockerfile, "args": {"BASE_IMAGE": base}}


def _health(check: str) -> dict[str, Any]:
    return {
        "test": ["CMD-SHELL", _literal(paced(check))],
        "interval": f"{HEALTH_INTERVAL_S}s",
        "timeout": f"{HEALTH_TIMEOUT_S}s",
        "retries": HEALTH_RETRIES,
        "start_period": f"{HEALTH_START_S}s",
    }


def _required(variable: str) -> str:
    return f"${{{variable}:?run langfuse-local compose init, or set it in .env}}"


def _literal(text: str) -> str:
    """Text in which compose replaces nothing."""
    return text.replace("$", "$$")


if __name__ == "__main__":
    write_files(Path(sys.argv[1]))
