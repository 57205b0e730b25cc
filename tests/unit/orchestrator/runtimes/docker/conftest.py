"""A runtime over the engine in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.config import DockerSettings
from appliance.data_dir.secrets import generate_secrets
from appliance.orchestrator.runtimes.docker.images import store_images
from appliance.orchestrator.runtimes.docker.plans import ownership_of
from appliance.orchestrator.runtimes.docker.runtime import DockerRuntime
from appliance.paths import DataDir
from tests.unit.orchestrator.runtimes.docker.fake_engine import FakeEngine


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def data_dir(tmp_path: Path) -> DataDir:
    place = DataDir(tmp_path)
    place.logs.mkdir()
    return place


@pytest.fixture
def runtime(engine: FakeEngine, data_dir: DataDir) -> DockerRuntime:
    return DockerRuntime(
        engine=engine,
        images=store_images(DockerSettings(), 8 << 30),
        owner=ownership_of(data_dir),
        data_dir=data_dir,
        secrets=generate_secrets(),
        ports={"postgres": 15432, "redis": 16379, "clickhouse": 18123},
    )
