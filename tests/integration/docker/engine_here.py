"""Whether a container engine answers here, and the stand-in images on it."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
from collections.abc import Sequence

import pytest

from appliance.errors import RuntimeUnavailable
from appliance.orchestrator.runtimes.docker.engine import DockerEngine
from appliance.orchestrator.runtimes.docker.sockets import engine_address, usual_sockets
from tests.integration.docker.standins.images import build
from tests.integration.docker.standins.names import tag_of

HOST = os.environ.get("DOCKER_HOST", "")
"""Another engine than the usual one, such as Podman's socket."""


def require_engine() -> None:
    """Skips where Docker does not answer."""
    address = engine_address(HOST, usual_sockets())
    # Docker's client leaks its socket when nobody listens, so that is asked without it.
    if address.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as listener:
            if listener.connect_ex(address.removeprefix("unix://")):
                pytest.skip(f"no Docker Engine listens at {address}")

    async def ask() -> None:
        engine = await DockerEngine.connect(address)
        await engine.close()

    try:
        asyncio.run(ask())
    except RuntimeUnavailable as error:
        pytest.skip(f"no Docker Engine: {error.message}")


def require_compose() -> None:
    """Skips where Docker has no Compose."""
    try:
        subprocess.run(["docker", "compose", "version"], check=True, capture_output=True, timeout=30)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("docker compose (version 2) is not installed")


def ensure_images(names: Sequence[str]) -> None:
    """Builds the stand-ins that are missing; skips where the programs for them are not installed."""

    async def missing() -> list[str]:
        engine = await DockerEngine.connect(engine_address(HOST, usual_sockets()))
        try:
            return [name for name in names if await engine.find_image(tag_of(name)) is None]
        finally:
            await engine.close()

    for name in asyncio.run(missing()):
        try:
            build(name)
        except (OSError, ValueError) as error:
            pytest.skip(f"the stand-in of {name} cannot be built here: {error}")
