"""The docker runtime: the three stores as containers that only this machine can reach."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from appliance.config import DockerSettings, Settings
from appliance.data_dir.secrets import Secrets
from appliance.errors import StoreUnavailable
from appliance.model.services import USUAL_PORTS, RuntimeName
from appliance.orchestrator.host.ports import choose_port
from appliance.orchestrator.processes.probes import ask_redis, probe_http, probe_postgres
from appliance.orchestrator.progress import Report
from appliance.orchestrator.runtimes.contract import Endpoints, with_endpoints
from appliance.orchestrator.runtimes.docker.containers import ContainerEngine
from appliance.orchestrator.runtimes.docker.engine import DockerEngine
from appliance.orchestrator.runtimes.docker.images import DATABASE, USER, StoreImage, store_images
from appliance.orchestrator.runtimes.docker.plans import Ownership, ownership_of
from appliance.orchestrator.runtimes.docker.pulls import PullTracker
from appliance.orchestrator.runtimes.docker.sockets import engine_address, usual_sockets
from appliance.orchestrator.runtimes.docker.stores import DockerStore
from appliance.paths import DataDir

_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class DockerRuntime:
    """Containers, volumes and the network of one appliance; create it with `open_runtime`."""

    engine: ContainerEngine
    images: Sequence[StoreImage]
    owner: Ownership
    data_dir: DataDir
    secrets: Secrets = field(repr=False)
    ports: Mapping[str, int]
    """Loopback port of each store."""
    name: RuntimeName = "docker"

    @property
    def stores(self) -> Sequence[DockerStore]:
        ends = self.endpoints
        passwords = {
            "postgres": self.secrets.postgres_password,
            "redis": self.secrets.redis_password,
            "clickhouse": self.secrets.clickhouse_password,
        }
        probes = {
            "postgres": lambda: probe_postgres(ends.postgres_url),
            "redis": lambda: _check_redis(ends.redis_url),
            "clickhouse": lambda: _check_clickhouse(ends),
        }
        return [
            DockerStore(
                engine=self.engine,
                store=image,
                owner=self.owner,
                data_dir=self.data_dir,
                password=passwords[image.name],
                port=self.ports[image.name],
                probe=probes[image.name],
            )
            for image in self.images
        ]

    @property
    def shared_ports(self) -> Collection[int]:
        return self.ports.values()

    @property
    def endpoints(self) -> Endpoints:
        secrets = self.secrets
        return Endpoints(
            postgres_url=f"postgresql://{USER}:{secrets.postgres_password}@{_HOST}:{self.ports['postgres']}/{DATABASE}",
            redis_url=f"redis://:{secrets.redis_password}@{_HOST}:{self.ports['redis']}/0",
            clickhouse_url=f"http://{_HOST}:{self.ports['clickhouse']}",
            clickhouse_user=USER,
            clickhouse_password=secrets.clickhouse_password,
            clickhouse_database=DATABASE,
        )

    def connect(self, settings: Settings) -> Settings:
        """The settings with the containers' endpoints; cluster settings of the environment do not apply here."""
        return with_endpoints(settings, self.endpoints)

    async def prepare(self, report: Report) -> None:
        """Fetches missing images, and creates the network and the volumes; raises RuntimeUnavailable."""
        for image in self.images:
            if await self.engine.find_image(image.image) is None:
                await self._pull(image.image, report)
        await self.engine.ensure_network(self.owner.network, self.owner.labels)
        for image in self.images:
            await self.engine.ensure_volume(self.owner.name_of(image.name), self.owner.labels)

    async def _pull(self, image: str, report: Report) -> None:
        tracker = PullTracker(image)
        await self.engine.pull(image, lambda step: report(tracker.advance(step)))

    async def stop_containers(self) -> list[str]:
        """Stops containers that a killed supervisor left running, in order; returns the names of their services."""
        stopped = []
        for image in reversed(self.images):
            container = await self.engine.find(self.owner.name_of(image.name))
            if container is not None and container.is_up:
                await self.engine.stop(container.id, image.grace_s)
                stopped.append(image.name)
        return stopped

    async def remove_containers(self) -> None:
        """Removes the containers and the network; the data stays in its volumes."""
        for image in self.images:
            await self.engine.remove(self.owner.name_of(image.name))
        await self.engine.remove_network(self.owner.network)

    async def remove_volumes(self) -> None:
        """Removes the appliance's containers, network and volumes: its data is lost."""
        await self.remove_containers()
        for volume in await self.engine.owned_volumes(self.owner.labels):
            await self.engine.remove_volume(volume)

    async def close(self) -> None:
        """Closes the connections to the engine; the containers go on."""
        await self.engine.close()


async def open_runtime(
    data_dir: DataDir,
    secrets: Secrets,
    settings: DockerSettings,
    remembered: Mapping[str, int],
    avoid: Collection[int] = (),
) -> DockerRuntime:
    """The runtime of a data directory on the engine of this machine; raises RuntimeUnavailable.

    Each store keeps the port of its container, else the `remembered` one, if no other program took it and it is
    none of `avoid`.
    """
    engine = await DockerEngine.connect(engine_address(settings.host, usual_sockets()))
    facts = await engine.facts()
    images = store_images(settings, facts.memory_bytes)
    owner = ownership_of(data_dir)
    ports = await choose_ports(engine, owner, [image.name for image in images], remembered, avoid)
    return DockerRuntime(engine, images, owner, data_dir, secrets, ports)


async def choose_ports(
    engine: ContainerEngine,
    owner: Ownership,
    stores: Sequence[str],
    remembered: Mapping[str, int],
    avoid: Collection[int] = (),
) -> dict[str, int]:
    """One loopback port per store; a running container of ours keeps its own. Raises RuntimeUnavailable."""
    ports: dict[str, int] = {}
    for name in stores:
        container = await engine.find(owner.name_of(name))
        if container is not None and container.is_up and container.host_port is not None:
            ports[name] = container.host_port
            continue
        preferred = [container.host_port if container is not None else None, remembered.get(name), USUAL_PORTS[name]]
        ports[name] = choose_port(_HOST, [port for port in preferred if port], {*ports.values(), *avoid})
    return ports


async def _check_redis(url: str) -> None:
    if await ask_redis(url, "PING") != b"+PONG":
        raise StoreUnavailable("Redis does not answer PING.")


async def _check_clickhouse(ends: Endpoints) -> None:
    status, _ = await probe_http(
        ends.clickhouse_url, path="/?query=SELECT+1", user=ends.clickhouse_user, password=ends.clickhouse_password
    )
    if status != 200:
        raise StoreUnavailable(f"ClickHouse answers with status {status}.")
