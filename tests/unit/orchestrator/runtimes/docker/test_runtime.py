"""What the runtime asks of the engine: images, containers that are kept or replaced, and what is removed."""

from __future__ import annotations

import asyncio
import dataclasses

import msgspec
import pytest

from appliance.config import Settings
from appliance.errors import RuntimeUnavailable
from appliance.model.services import USUAL_PORTS
from appliance.orchestrator.progress import ProgressEvent, PullProgress
from appliance.orchestrator.runtimes.docker.containers import APPLIANCE_LABEL, ImageFacts
from appliance.orchestrator.runtimes.docker.handle import ContainerHandle
from appliance.orchestrator.runtimes.docker.plans import ownership_of
from appliance.orchestrator.runtimes.docker.runtime import DockerRuntime, choose_ports
from appliance.paths import DataDir
from tests.unit.orchestrator.runtimes.docker.fake_engine import FakeEngine


async def prepared(runtime: DockerRuntime) -> list[ProgressEvent]:
    seen: list[ProgressEvent] = []
    await runtime.prepare(seen.append)
    return seen


async def launched(runtime: DockerRuntime, name: str = "clickhouse") -> ContainerHandle:
    store = next(store for store in runtime.stores if store.name == name)
    handle = await store.launch()
    assert isinstance(handle, ContainerHandle)
    return handle


async def test_only_missing_images_are_pulled(runtime: DockerRuntime, engine: FakeEngine) -> None:
    engine.images["redis:7"] = ImageFacts(id="r")
    seen = await prepared(runtime)
    assert engine.calls == ["pull postgres:17", "pull clickhouse/clickhouse-server:26.3"]
    steps = [step for step in seen if isinstance(step, PullProgress)]
    assert [(step.image, step.layers_done, step.current_bytes, step.total_bytes) for step in steps][:2] == [
        ("postgres:17", 0, 5, 10),
        ("postgres:17", 1, 10, 10),
    ]
    assert await prepared(runtime) == []


async def test_everything_carries_the_label_of_its_appliance(runtime: DockerRuntime, engine: FakeEngine) -> None:
    await prepared(runtime)
    handle = await launched(runtime)
    mine = runtime.owner.appliance_id
    labelled = [*engine.volumes.values(), *engine.networks.values(), engine.plans[handle.container].labels]
    assert all(labels[APPLIANCE_LABEL] == mine for labels in labelled)


async def test_a_running_container_is_taken_over(runtime: DockerRuntime, engine: FakeEngine) -> None:
    await prepared(runtime)
    await launched(runtime)
    engine.calls.clear()
    await launched(runtime)
    assert engine.calls == []


async def test_a_stopped_container_starts_again(runtime: DockerRuntime, engine: FakeEngine) -> None:
    await prepared(runtime)
    handle = await launched(runtime)
    await handle.stop()
    engine.calls.clear()
    await launched(runtime)
    assert engine.calls == ["start clickhouse"]


@pytest.mark.parametrize("change", ["image", "password", "port"])
async def test_a_container_of_before_is_replaced(runtime: DockerRuntime, engine: FakeEngine, change: str) -> None:
    await prepared(runtime)
    await launched(runtime)
    engine.calls.clear()
    if change == "image":
        engine.images[runtime.images[2].image] = ImageFacts(id="pulled anew")
    elif change == "password":
        changed = msgspec.structs.replace(runtime.secrets, clickhouse_password="x")
        runtime = dataclasses.replace(runtime, secrets=changed)
    else:
        runtime = dataclasses.replace(runtime, ports={**runtime.ports, "clickhouse": 18999})
    await launched(runtime)
    assert engine.calls == ["stop clickhouse", "remove clickhouse", "create clickhouse", "start clickhouse"]
    assert runtime.owner.name_of("clickhouse") in engine.volumes


async def test_ulimits_are_left_out_where_the_engine_refuses_them(runtime: DockerRuntime, engine: FakeEngine) -> None:
    engine.refuses_ulimits = True
    await prepared(runtime)
    handle = await launched(runtime)
    assert engine.plans[handle.container].open_files is None
    engine.calls.clear()
    await launched(runtime)
    assert engine.calls == []


async def test_an_image_that_went_away_is_said(runtime: DockerRuntime) -> None:
    with pytest.raises(RuntimeUnavailable, match=r"clickhouse-server:26.3 is not on this machine"):
        await launched(runtime)


async def test_a_container_without_memory_says_so(runtime: DockerRuntime, engine: FakeEngine) -> None:
    await prepared(runtime)
    handle = await launched(runtime)
    watch = asyncio.create_task(handle.wait())
    await asyncio.sleep(0)
    engine.end(handle.container, 137, is_out_of_memory=True)
    assert (await watch).startswith("ran out of its 2048 MiB of memory")


async def test_what_a_container_writes_goes_to_the_log_file(
    runtime: DockerRuntime, engine: FakeEngine, data_dir: DataDir
) -> None:
    engine.lines = ["first", "second"]
    await prepared(runtime)
    handle = await launched(runtime, "redis")
    log_file = data_dir.log_file("redis")
    async with asyncio.timeout(5):
        while not log_file.exists() or "second" not in log_file.read_text():
            await asyncio.sleep(0)
    await handle.stop()
    await handle.wait()
    assert log_file.read_text() == "first\nsecond\n"


async def test_measuring_does_not_wait_for_the_engine_each_time(runtime: DockerRuntime, engine: FakeEngine) -> None:
    await prepared(runtime)
    handle = await launched(runtime)
    assert await handle.measure() == (1.0, 1 << 20)
    engine.usage_delay_s = 60
    async with asyncio.timeout(1):
        assert await handle.measure() == (1.0, 1 << 20)


async def test_measuring_fails_when_nothing_is_known(runtime: DockerRuntime, engine: FakeEngine) -> None:
    await prepared(runtime)
    handle = await launched(runtime)
    engine.usage_error = RuntimeUnavailable("Docker is away.")
    with pytest.raises(RuntimeUnavailable, match="away"):
        await handle.measure()
    engine.usage_error = None
    assert await handle.measure() == (1.0, 1 << 20)


async def test_remove_volumes_touches_only_what_is_ours(runtime: DockerRuntime, engine: FakeEngine) -> None:
    engine.volumes["theirs"] = {APPLIANCE_LABEL: "another"}
    await prepared(runtime)
    await launched(runtime)
    await runtime.remove_volumes()
    assert list(engine.volumes) == ["theirs"]
    assert engine.containers == {} and engine.networks == {}


async def test_ports_are_those_of_the_running_containers(
    runtime: DockerRuntime, engine: FakeEngine, data_dir: DataDir
) -> None:
    runtime = dataclasses.replace(runtime, ports={**runtime.ports, "redis": 29999})
    await prepared(runtime)
    await launched(runtime, "redis")
    chosen = await choose_ports(engine, runtime.owner, ["postgres", "redis"], {"redis": 28888})
    assert chosen["redis"] == 29999 and chosen["postgres"] >= USUAL_PORTS["postgres"]


async def test_a_port_that_was_lost_is_not_chosen_again(runtime: DockerRuntime, engine: FakeEngine) -> None:
    first = await choose_ports(engine, runtime.owner, ["redis"], {})
    second = await choose_ports(engine, runtime.owner, ["redis"], first, avoid=set(first.values()))
    assert second["redis"] > first["redis"]


def test_an_appliance_keeps_its_identity(data_dir: DataDir) -> None:
    assert ownership_of(data_dir) == ownership_of(data_dir)
    assert len(ownership_of(data_dir).appliance_id) == 8


def test_connect_gives_the_endpoints(runtime: DockerRuntime) -> None:
    settings = runtime.connect(Settings())
    assert settings.postgres.url.endswith("@127.0.0.1:15432/langfuse")
    assert settings.redis.url.endswith("@127.0.0.1:16379/0")
    assert settings.clickhouse.url == "http://127.0.0.1:18123"
