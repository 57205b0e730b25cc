"""The compose files, used as an appliance is: by HTTPS through nginx, and by commands inside the container of web."""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.acceptance.appliance_process import Appliance, clean_environment, container_pids
from tests.integration.docker.stack import Stack, beside, by_addresses, running_stack
from tests.integration.docker.standins.names import STORES


@dataclass(slots=True)
class ComposeAppliance(Appliance):
    """Web, worker and nginx of one compose file; the stores are those of the same or of another one."""

    stack: Stack = field(kw_only=True)
    stores: Stack = field(kw_only=True)

    def command(self, *arguments: str, data_dir: str = "") -> list[str]:
        """The command line of one subcommand inside the container of web; `tui` gets a terminal."""
        terminal = [] if arguments[0] == "tui" else ["--no-TTY"]
        return self.stack.command("exec", *terminal, "web", "langfuse-local", *arguments)

    def up(self, *flags: str) -> None:
        self.stack.up()

    def down(self) -> None:
        self.stack.compose("down")

    def remove(self) -> None:
        self.stack.compose("down", "--volumes")

    def status(self) -> dict[str, Any]:
        """Whether every container is healthy."""
        own = self.stack.health()
        stores = self.stores.health()
        return {"healthy": all({**stores, **own}.get(name) == "healthy" for name in (*STORES, "web", "worker"))}

    def pids(self, service: str) -> list[int]:
        stack = self.stores if service in STORES else self.stack
        containers = stack.compose("ps", "--quiet", service).split()
        return [pid for container in containers for pid in container_pids(container)]

    def http(self) -> httpx.Client:
        """A client that trusts the certificate that nginx made, and nothing else."""
        trust = ssl.create_default_context(cafile=self.environ["SSL_CERT_FILE"])
        return httpx.Client(base_url=self.url, auth=self.keys, timeout=30.0, verify=trust, trust_env=False)


@contextmanager
def new_compose_appliance(*, is_external: bool) -> Iterator[ComposeAppliance]:
    """docker-compose.yml, or the external one on the stores of another project; running, removed at the end."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lfl-compose-")))
        tree = home / "tree"
        tree.mkdir()
        stores = stack.enter_context(running_stack(tree, *(STORES if is_external else ())))
        own = stack.enter_context(beside(stores, by_addresses(stores.secrets))) if is_external else stores
        certificate = home / "certificate.pem"
        certificate.write_text(own.certificate())
        trusts = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "OTEL_EXPORTER_OTLP_CERTIFICATE")
        environ = clean_environment(home) | own.environ | dict.fromkeys(trusts, str(certificate))
        environ["DOCKER_CONFIG"] = os.environ.get("DOCKER_CONFIG", str(Path.home() / ".docker"))  # where compose lies
        settings = {
            "LANGFUSE_BASE_URL": own.url,
            "LANGFUSE_HOST": own.url,
            "LANGFUSE_PUBLIC_KEY": own.secrets.public_key,
            "LANGFUSE_SECRET_KEY": own.secrets.secret_key,
        }
        yield ComposeAppliance(home=home, environ=environ, settings=settings, stack=own, stores=stores)
