"""A compose file on the real engine, in a copy of the source tree, with images built from it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from appliance.data_dir.secrets import Secrets, generate_secrets
from appliance.orchestrator.host.ports import choose_port
from appliance.orchestrator.runtimes.docker.compose_env import SECRETS, env_text, secret_texts
from tests.integration.docker.engine_here import ensure_images, require_compose, require_engine
from tests.integration.docker.standins.names import STORES, store_image_environ, tag_of
from tests.integration.external.certificates import make_certificates

ROOT = Path(__file__).parents[3]
FIRST_PORT = 28443
_SOURCES = (
    "appliance",
    "tui",
    "compose",
    "pyproject.toml",
    "langfuse_local.py",
    "README.md",
    "LICENSE",
    ".dockerignore",
)
_OFFLINE = re.compile(r"name resolution|NewConnectionError|no such host|Network is unreachable", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Stack:
    """A compose project in a copy of the source tree."""

    folder: Path
    file: str
    project: str
    port: int
    secrets: Secrets
    overlays: tuple[str, ...] = ()

    def compose(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env={**os.environ, **self.environ},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"docker compose {' '.join(arguments)}: {done.stderr[-2000:]}\n{done.stdout[-2000:]}")
        return done.stdout + done.stderr

    def command(self, *arguments: str) -> list[str]:
        """The command line of `docker compose` for this project."""
        files = [word for name in (self.file, *self.overlays) for word in ("--file", str(self.folder / name))]
        return ["docker", "compose", "--project-name", self.project, *files, *arguments]

    @property
    def environ(self) -> dict[str, str]:
        """What the compose file reads besides .env."""
        return {**_images(), "HTTPS_PORT": str(self.port)}

    def up(self, *services: str) -> None:
        self.compose("up", "--detach", "--wait", "--pull", "never", "--no-build", *services)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def certificate(self) -> str:
        """What nginx shows, as PEM."""
        return ssl.get_server_certificate(("127.0.0.1", self.port))

    def health(self) -> dict[str, str]:
        """Health of each service's container: healthy, unhealthy or starting; empty without a health check."""
        lines = self.compose("ps", "--all", "--format", "{{.Service}} {{.Health}}").splitlines()
        return {service: health for service, _, health in (line.partition(" ") for line in lines)}

    def client(self) -> httpx.Client:
        """Trusts the certificate that nginx made, and nothing else."""
        return httpx.Client(
            base_url=self.url,
            auth=(self.secrets.public_key, self.secrets.secret_key),
            verify=ssl.create_default_context(cadata=self.certificate()),
            timeout=20,
            trust_env=False,
        )


def _images() -> dict[str, str]:
    return {
        **store_image_environ(),
        "PYTHON_IMAGE": tag_of("python"),
        "NGINX_IMAGE": tag_of("nginx"),
        "LANGFUSE_LOCAL_IMAGE": tag_of("application"),
        "LANGFUSE_LOCAL_NGINX_IMAGE": tag_of("application-nginx"),
    }


@contextlib.contextmanager
def running_stack(tree: Path, *services: str) -> Iterator[Stack]:
    """docker-compose.yml of this source, running, or some services of it; `tree` is an empty directory.

    Skips where it cannot be had.
    """
    require_engine()
    require_compose()
    ensure_images((*STORES, "python", "nginx"))
    for name in _SOURCES:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tree / name)
    secrets = generate_secrets()
    (tree / "compose" / ".env").write_text(env_text(secrets))
    (tree / "compose" / SECRETS).mkdir(mode=0o700)
    for name, text in secret_texts(secrets).items():
        (tree / "compose" / SECRETS / name).write_text(text)
    port = choose_port("127.0.0.1", [FIRST_PORT], set())
    made = Stack(tree / "compose", "docker-compose.yml", f"langfuse-test-{os.getpid()}", port, secrets)
    said = made.compose("build", "--quiet", check=False)
    if _OFFLINE.search(said):
        pytest.skip("the image cannot be built without a network")
    try:
        made.up(*services)
        yield made
    finally:
        made.compose("down", "--volumes", "--timeout", "5", check=False)


def by_addresses(known: Secrets) -> str:
    """The lines of .env that lead to the stores of a stack, by one address each."""
    return (
        f"DATABASE_URL=postgresql://langfuse:{known.postgres_password}@postgres:5432/langfuse\n"
        f"REDIS_CONNECTION_STRING=redis://:{known.redis_password}@redis:6379/0\n"
    )


def by_parts(known: Secrets) -> str:
    """The same, by hosts, names and passwords."""
    return (
        "DATABASE_HOST=postgres:5432\nDATABASE_USERNAME=langfuse\nDATABASE_NAME=langfuse\n"
        f"DATABASE_PASSWORD={known.postgres_password}\n"
        f"REDIS_HOST=redis\nREDIS_PORT=6379\nREDIS_AUTH={known.redis_password}\n"
    )


def by_client_certificates(known: Secrets) -> str:
    """By addresses of `fronts`, which asks for client certificates."""
    files = (("rootcert", "CA", "ca.pem"), ("cert", "CERT", "client.pem"), ("key", "KEY", "client.key"))
    parameters = "&".join(f"ssl{name}=/store-certificates/{file}" for name, _, file in files)
    return (
        f"DATABASE_URL=postgresql://langfuse:{known.postgres_password}@fronts:5432/langfuse?{parameters}\n"
        f"REDIS_CONNECTION_STRING=rediss://:{known.redis_password}@fronts:6379/0\n"
        "CLICKHOUSE_URL=https://fronts:8123\n"
    ) + "".join(
        f"{store}_TLS_{name}_PATH=/store-certificates/{file}\n"
        for store in ("REDIS", "LANGFUSE_LOCAL_CLICKHOUSE")
        for _, name, file in files
    )


@contextlib.contextmanager
def fronted(stack: Stack) -> Iterator[Stack]:
    """docker-compose.external.yml, running on the stores of `stack` by TLS with client certificates."""
    with external(stack, by_client_certificates(stack.secrets)) as made:
        make_certificates(stack.folder / "store-certificates")
        fronts = {
            "image": tag_of("python"),
            "command": ["python", "-m", "tests.integration.docker.tls_fronts"],
            "environment": {"PYTHONPATH": "/source"},
            "volumes": [f"{ROOT / 'tests'}:/source/tests:ro", "./store-certificates:/store-certificates"],
            "networks": ["elsewhere"],
        }
        first = {"migrate": {"depends_on": {"fronts": {"condition": "service_started"}}}}
        (stack.folder / "fronts.yml").write_text(json.dumps({"services": {"fronts": fronts, **first}}))
        made = dataclasses.replace(made, overlays=(*made.overlays, "fronts.yml"))
        made.up()
        yield made


@contextlib.contextmanager
def beside(stack: Stack, stores: str) -> Iterator[Stack]:
    """docker-compose.external.yml, running on the stores of `stack`."""
    with external(stack, stores) as made:
        made.up()
        yield made


@contextlib.contextmanager
def external(stack: Stack, stores: str) -> Iterator[Stack]:
    """The same, not started; it reaches the stores by a network of somebody else.

    `stores` are the lines of .env that lead to Postgres and Redis, and to ClickHouse in another way than usual.
    """
    overlay = {
        "services": {name: {"networks": ["public", "elsewhere"]} for name in ("migrate", "web", "worker")},
        "networks": {"elsewhere": {"external": True, "name": f"{stack.project}_stores"}},
    }
    (stack.folder / "elsewhere.yml").write_text(json.dumps(overlay))
    (stack.folder / "store-certificates").mkdir(exist_ok=True)
    (stack.folder / "store-certificates" / "ca.pem").write_text("an authority")
    known = stack.secrets
    own = (stack.folder / ".env").read_text()
    (stack.folder / ".env").write_text(
        f"{own}\nCLICKHOUSE_PASSWORD={known.clickhouse_password}\n"
        "STORE_CERTIFICATES=./store-certificates\n"
        "CLICKHOUSE_URL=http://clickhouse:8123\nCLICKHOUSE_USER=langfuse\nCLICKHOUSE_DB=langfuse\n"
        f"{stores}"
    )
    port = choose_port("127.0.0.1", [FIRST_PORT + 100], set())
    project = f"{stack.project}-external"
    made = Stack(stack.folder, "docker-compose.external.yml", project, port, known, ("elsewhere.yml",))
    try:
        yield made
    finally:
        made.compose("down", "--volumes", "--remove-orphans", "--timeout", "5", check=False)
        (stack.folder / ".env").write_text(own)
