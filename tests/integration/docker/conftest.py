"""A real Docker Engine with stand-in images; everything is skipped where no engine answers."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from appliance.config import DockerSettings
from appliance.data_dir.secrets import Secrets, generate_secrets
from appliance.orchestrator.runtimes.docker.runtime import DockerRuntime, open_runtime
from appliance.orchestrator.supervisor import StartRequested, Supervisor
from appliance.paths import DataDir
from tests.integration.docker.engine_here import HOST, ensure_images, require_engine
from tests.integration.docker.standins.names import STORES, tag_of

START_TIMEOUT_S = 60


@pytest.fixture(scope="session")
def engine_here() -> None:
    """Skips where Docker does not answer."""
    require_engine()


@pytest.fixture(scope="session")
def images(engine_here: None) -> DockerSettings:
    """Settings that name the stand-ins of the stores, built when they are missing."""
    ensure_images(STORES)
    return DockerSettings(
        host=HOST, postgres_image=tag_of("postgres"), redis_image=tag_of("redis"), clickhouse_image=tag_of("clickhouse")
    )


@dataclasses.dataclass(slots=True)
class Host:
    """One data directory, on which a runtime can be opened again and again."""

    data_dir: DataDir
    settings: DockerSettings
    secrets: Secrets

    async def open(self, **changed: object) -> DockerRuntime:
        settings = dataclasses.replace(self.settings, **changed)  # type: ignore[arg-type]
        runtime = await open_runtime(self.data_dir, self.secrets, settings, {})
        await runtime.prepare(lambda _: None)
        return runtime

    @contextlib.asynccontextmanager
    async def running(self, *names: str, stop: bool = True, **changed: object) -> AsyncIterator[SupervisedService]:
        """The stores `names` healthy under a supervisor; stopped at the end, or abandoned as by a kill."""
        runtime = await self.open(**changed)
        supervisor = Supervisor()
        for store in runtime.stores:
            if store.name in names:
                supervisor.add(store)
        loop = asyncio.create_task(supervisor.run())
        try:
            for name in names:
                supervisor.request(StartRequested(name))
            for name in names:
                await supervisor.wait_healthy(name, START_TIMEOUT_S)
            yield SupervisedService(runtime, supervisor)
            if stop:
                await supervisor.stop(names)
        finally:
            loop.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await loop
            await runtime.close()


@dataclasses.dataclass(slots=True)
class SupervisedService:
    """A runtime and what supervises it."""

    runtime: DockerRuntime
    supervisor: Supervisor

    def container(self, name: str) -> str:
        handle = self.supervisor.services[name].handle
        assert handle is not None and handle.container is not None
        return handle.container

    async def until(self, condition: Callable[[], bool], timeout_s: float = 30) -> None:
        async with asyncio.timeout(timeout_s):
            while not condition():
                await asyncio.sleep(0.05)


@pytest.fixture
async def host(images: DockerSettings, tmp_path: Path) -> AsyncIterator[Host]:
    """A fresh data directory; all that it left in Docker is removed afterwards."""
    made = make_host(tmp_path / "data", images)
    yield made
    await clean(made)


def make_host(root: Path, images: DockerSettings) -> Host:
    data_dir = DataDir(root)
    data_dir.logs.mkdir(parents=True)
    data_dir.run.mkdir()
    return Host(data_dir, images, generate_secrets())


async def clean(host: Host) -> None:
    runtime = await open_runtime(host.data_dir, host.secrets, host.settings, {})
    await runtime.remove_volumes()
    await runtime.close()
    shutil.rmtree(host.data_dir.root)
