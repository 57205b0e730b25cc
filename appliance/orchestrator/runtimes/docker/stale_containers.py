"""Stops or removes the containers of a data directory while no appliance runs on it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from appliance.config import DockerSettings
from appliance.data_dir.secrets import read_secrets
from appliance.orchestrator.runtimes.docker.plans import IDENTITY_FILE
from appliance.orchestrator.runtimes.docker.runtime import DockerRuntime, open_runtime
from appliance.paths import DataDir


def stop_stale_containers(data_dir: DataDir, settings: DockerSettings) -> list[str]:
    """Stops containers that a killed supervisor left running; returns their services. Raises RuntimeUnavailable."""

    async def stop() -> list[str]:
        async with _runtime_of(data_dir, settings) as runtime:
            return await runtime.stop_containers() if runtime is not None else []

    return asyncio.run(stop())


def remove_docker_resources(data_dir: DataDir, settings: DockerSettings) -> None:
    """Removes containers, network and volumes, if the docker runtime was ever used; raises RuntimeUnavailable."""

    async def remove() -> None:
        async with _runtime_of(data_dir, settings) as runtime:
            if runtime is not None:
                await runtime.remove_volumes()

    asyncio.run(remove())
    (data_dir.root / IDENTITY_FILE).unlink(missing_ok=True)


@contextlib.asynccontextmanager
async def _runtime_of(data_dir: DataDir, settings: DockerSettings) -> AsyncIterator[DockerRuntime | None]:
    secrets = read_secrets(data_dir)
    if secrets is None or not (data_dir.root / IDENTITY_FILE).exists():
        yield None
        return
    runtime = await open_runtime(data_dir, secrets, settings, {})
    try:
        yield runtime
    finally:
        await runtime.close()
