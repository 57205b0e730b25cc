"""The docker runtime on a real engine: started, found again, replaced, broken, and removed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from appliance.config import ClickHouseSettings, DockerSettings
from appliance.errors import RuntimeUnavailable, StartFailed, StoreUnavailable
from appliance.orchestrator.processes.probes import ask_redis
from appliance.orchestrator.runtimes.docker.containers import APPLIANCE_LABEL
from appliance.orchestrator.runtimes.docker.handle import ContainerHandle
from appliance.orchestrator.runtimes.docker.plans import ownership_of
from appliance.orchestrator.supervisor import RestartRequested
from appliance.storage.clickhouse.client import ClickHouse
from tests.integration.docker.conftest import Host, clean, make_host
from tests.integration.docker.engine_here import HOST
from tests.integration.docker.standins.names import STORES, tag_of


def docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


def inspect(container: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = json.loads(docker("inspect", container))
    return found[0]


async def test_the_three_stores_answer_to_their_passwords_only(host: Host) -> None:
    async with host.running(*STORES) as stack:
        ends = stack.runtime.endpoints
        assert await ask_redis(ends.redis_url, "PING") == b"+PONG"
        with pytest.raises(StoreUnavailable, match="Redis says: WRONGPASS"):
            await ask_redis(ends.redis_url.replace(host.secrets.redis_password, "wrong"), "PING")
        clickhouse = await connect_clickhouse(stack.runtime.endpoints)
        tables: list[dict[str, str]] = await clickhouse.rows(
            "SELECT name FROM system.tables WHERE database = 'system' AND engine LIKE '%MergeTree'", {}, dict
        )
        ratio: list[dict[str, str]] = await clickhouse.rows(
            "SELECT value FROM system.server_settings WHERE name = 'max_server_memory_usage_to_ram_ratio'", {}, dict
        )
        await clickhouse.close()
        assert tables == []
        assert ratio == [{"value": "0.85"}], "our file in config.d is read"
        for name in STORES:
            seen = json.dumps(inspect(stack.container(name)))
            assert not any(getattr(host.secrets, f"{store}_password") in seen for store in STORES)


async def test_containers_are_confined_and_reachable_from_here_only(host: Host) -> None:
    async with host.running(*STORES) as stack:
        for name in STORES:
            seen = inspect(stack.container(name))
            (published,) = seen["NetworkSettings"]["Ports"].values()
            assert [binding["HostIp"] for binding in published if binding] == ["127.0.0.1"]
            assert seen["HostConfig"]["Memory"] > 0
            assert set(seen["HostConfig"]["CapDrop"]) & {"ALL", "CHOWN"}, "Podman names each one"
            assert seen["Config"]["User"] not in ("", "0", "root")
            assert [mount["Name"] for mount in seen["Mounts"] if mount["Type"] == "volume"] == [stack.container(name)]
            handle = stack.supervisor.services[name].handle
            assert isinstance(handle, ContainerHandle)
            _, resident_bytes = await handle.measure()
            assert resident_bytes > 0


async def test_data_stays_over_down_and_up(host: Host) -> None:
    async with host.running("redis") as stack:
        await ask_redis(stack.runtime.endpoints.redis_url, "SET", "kept", "yes")
        before = stack.runtime.ports
    assert inspect(stack.runtime.owner.name_of("redis"))["State"]["ExitCode"] == 0
    async with host.running("redis") as stack:
        assert stack.runtime.ports == before
        assert await ask_redis(stack.runtime.endpoints.redis_url, "EXISTS", "kept") == b":1"


async def test_a_killed_supervisors_containers_are_taken_over(host: Host) -> None:
    async with host.running("redis", stop=False) as stack:
        before = inspect(stack.container("redis"))["State"]["Pid"]
    async with host.running("redis") as stack:
        assert inspect(stack.container("redis"))["State"]["Pid"] == before


async def test_a_changed_configuration_makes_a_new_container_with_the_old_data(host: Host) -> None:
    async with host.running("redis") as stack:
        await ask_redis(stack.runtime.endpoints.redis_url, "SET", "kept", "yes")
        before = inspect(stack.container("redis"))["Id"]
    async with host.running("redis", redis_memory_mib=400) as stack:
        seen = inspect(stack.container("redis"))
        assert seen["Id"] != before and seen["HostConfig"]["Memory"] == 400 << 20
        assert await ask_redis(stack.runtime.endpoints.redis_url, "EXISTS", "kept") == b":1"


async def test_another_image_takes_over_the_data(host: Host) -> None:
    newer = f"{tag_of('redis')}-newer"
    subprocess.run(
        ["docker", "build", "--quiet", "--tag", newer, "-"],
        input=f"FROM {tag_of('redis')}\nLABEL version=newer\n",
        text=True,
        check=True,
        capture_output=True,
        timeout=60,
    )
    try:
        async with host.running("redis") as stack:
            await ask_redis(stack.runtime.endpoints.redis_url, "SET", "kept", "yes")
        async with host.running("redis", redis_image=newer) as stack:
            assert inspect(stack.container("redis"))["Config"]["Image"] == newer
            assert await ask_redis(stack.runtime.endpoints.redis_url, "EXISTS", "kept") == b":1"
        docker("rm", "--force", stack.runtime.owner.name_of("redis"))
    finally:
        docker("rmi", "--force", newer)


async def test_a_restart_on_request_keeps_the_data(host: Host) -> None:
    async with host.running("redis") as stack:
        entry = stack.supervisor.services["redis"]
        await ask_redis(stack.runtime.endpoints.redis_url, "SET", "kept", "yes")
        first = inspect(stack.container("redis"))["State"]["StartedAt"]
        before = entry.handle
        stack.supervisor.request(RestartRequested("redis"))
        await stack.until(lambda: entry.handle is not before and entry.healthy)
        assert inspect(stack.container("redis"))["State"]["StartedAt"] != first
        assert await ask_redis(stack.runtime.endpoints.redis_url, "EXISTS", "kept") == b":1"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount a small file system")
async def test_a_full_disk_is_named(host: Host) -> None:
    volume = ownership_of(host.data_dir).name_of("postgres")
    small = ["--opt", "type=tmpfs", "--opt", "device=tmpfs", "--opt", "o=size=8m,uid=999,mode=0700"]
    label = f"{APPLIANCE_LABEL}={ownership_of(host.data_dir).appliance_id}"
    docker("volume", "create", "--label", label, *small, volume)
    with pytest.raises(StartFailed, match="the disk is full"):
        async with host.running("postgres"):
            pass


async def test_a_network_that_somebody_removed_is_made_again(host: Host) -> None:
    async with host.running("redis") as stack:
        await ask_redis(stack.runtime.endpoints.redis_url, "SET", "kept", "yes")
        network = stack.runtime.owner.network
    docker("network", "rm", network)
    async with host.running("redis") as stack:
        assert await ask_redis(stack.runtime.endpoints.redis_url, "EXISTS", "kept") == b":1"


@pytest.mark.parametrize(
    "how",
    [
        "docker kill",
        pytest.param("the process alone", marks=pytest.mark.skipif(os.geteuid() != 0, reason="needs root")),
    ],
)
async def test_a_killed_container_comes_back(host: Host, how: str) -> None:
    async with host.running("redis") as stack:
        entry = stack.supervisor.services["redis"]
        await ask_redis(stack.runtime.endpoints.redis_url, "SET", "kept", "yes")
        before, first = int(inspect(stack.container("redis"))["State"]["Pid"]), entry.handle
        if how == "docker kill":
            docker("kill", stack.container("redis"))
        else:
            os.kill(before, signal.SIGKILL)
        await stack.until(lambda: entry.handle is not first and entry.healthy)
        assert inspect(stack.container("redis"))["State"]["Pid"] != before
        assert await ask_redis(stack.runtime.endpoints.redis_url, "EXISTS", "kept") == b":1"


@pytest.mark.skipif("podman" in HOST, reason="Podman does not tell whether memory was the reason")
async def test_a_container_without_memory_says_so(host: Host) -> None:
    async with host.running("redis", redis_memory_mib=64) as stack:
        entry = stack.supervisor.services["redis"]
        first, said = entry.handle, set[str | None]()
        stack.supervisor.on_change = lambda: said.add(entry.reason)
        with contextlib.suppress(StoreUnavailable):
            await ask_redis(stack.runtime.endpoints.redis_url, "SETRANGE", "large", "500000000", "x")
        await stack.until(lambda: entry.handle is not first and entry.healthy)
        assert any(reason and reason.startswith("ran out of its 64 MiB of memory") for reason in said)


async def test_a_port_that_somebody_took_meanwhile_is_named(host: Host) -> None:
    runtime = await host.open()
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", runtime.ports["redis"]))
        holder.listen()
        store = next(store for store in runtime.stores if store.name == "redis")
        with pytest.raises(RuntimeUnavailable, match=rf"port {runtime.ports['redis']} is taken"):
            await store.launch()
        chosen = await host.open()
        assert chosen.ports["redis"] != runtime.ports["redis"]
        await chosen.close()
    await runtime.close()


async def test_a_volume_of_a_newer_version_is_explained(host: Host) -> None:
    async with host.running("postgres") as stack:
        volume = stack.runtime.owner.name_of("postgres")
        docker("exec", stack.container("postgres"), "sh", "-c", "echo 99 > /var/lib/postgresql/data/PG_VERSION")
    with pytest.raises(StartFailed, match=r"holds data of PostgreSQL 99, which .* cannot read"):
        async with host.running("postgres"):
            pass
    assert docker("volume", "ls", "-q", "--filter", f"name={volume}") == volume


async def test_an_image_that_cannot_be_fetched(host: Host) -> None:
    with pytest.raises(RuntimeUnavailable, match=r"localhost:1/nothing:1 cannot be fetched|does not exist"):
        await host.open(redis_image="localhost:1/nothing:1")


async def test_two_appliances_do_not_meet(host: Host, images: DockerSettings, tmp_path: Path) -> None:
    other = make_host(tmp_path / "other", images)
    async with host.running("redis") as first, other.running("redis") as second:
        assert first.runtime.ports["redis"] != second.runtime.ports["redis"]
        await ask_redis(first.runtime.endpoints.redis_url, "SET", "mine", "yes")
        assert await ask_redis(second.runtime.endpoints.redis_url, "EXISTS", "mine") == b":0"
        await clean(other)
        assert await ask_redis(first.runtime.endpoints.redis_url, "EXISTS", "mine") == b":1"


async def test_nothing_is_left_when_the_volumes_are_removed(host: Host) -> None:
    async with host.running(*STORES) as stack:
        label = f"label=langfuse-local.appliance={stack.runtime.owner.appliance_id}"
        assert len(docker("ps", "-q", "--filter", label).split()) == 3
    runtime = await host.open()
    await runtime.remove_volumes()
    await runtime.close()
    assert docker("ps", "-aq", "--filter", label) == ""
    assert docker("volume", "ls", "-q", "--filter", label) == ""
    assert docker("network", "ls", "-q", "--filter", label) == ""


async def test_what_the_stores_write_is_in_our_log_files(host: Host) -> None:
    async with host.running("redis"):
        pass
    assert "Ready to accept connections" in host.data_dir.log_file("redis").read_text()


async def connect_clickhouse(ends: Any) -> ClickHouse:
    return await ClickHouse.connect(
        ClickHouseSettings(
            url=ends.clickhouse_url,
            user=ends.clickhouse_user,
            password=ends.clickhouse_password,
            database=ends.clickhouse_database,
        )
    )
