"""A store as a service in a container: created, reused, or replaced when its plan changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from appliance.errors import RuntimeUnavailable
from appliance.orchestrator.runtimes.contract import ServiceHandle
from appliance.orchestrator.runtimes.docker.containers import (
    CONFIG_LABEL,
    ContainerEngine,
    ContainerFacts,
    ContainerPlan,
    ImageFacts,
    Missing,
    UlimitsRefused,
)
from appliance.orchestrator.runtimes.docker.handle import ContainerHandle
from appliance.orchestrator.runtimes.docker.images import StoreImage
from appliance.orchestrator.runtimes.docker.plans import Ownership, plan_container
from appliance.paths import DataDir


@dataclass(frozen=True, slots=True)
class DockerStore:
    """The service `postgres`, `redis` or `clickhouse` of the docker runtime."""

    engine: ContainerEngine
    store: StoreImage
    owner: Ownership
    data_dir: DataDir
    password: str = field(repr=False)
    port: int
    probe: Callable[[], Awaitable[None]]
    managed: bool = True

    @property
    def name(self) -> str:
        return self.store.name

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def launch(self) -> ServiceHandle:
        """Reuses the running container, starts the stopped one, or creates one; the data stays in its volume."""
        image = await self.engine.find_image(self.store.image)
        if image is None:
            raise RuntimeUnavailable(
                f"The image {self.store.image} is not on this machine.",
                hint="Run up again, which fetches it.",
            )
        plan = plan_container(self.store, self.owner, self.password, self.port)
        facts = await self._ensure(plan, image)
        return ContainerHandle(
            self.engine, facts, self.store.image, self.store.grace_s, self.data_dir.log_file(self.name)
        )

    async def check(self, handle: ServiceHandle) -> None:
        await self.probe()

    async def _ensure(self, plan: ContainerPlan, image: ImageFacts) -> ContainerFacts:
        container = await self.engine.find(plan.name)
        if container is not None and not _is_current(container, plan, image):
            await self.engine.stop(container.id, plan.grace_s)
            await self.engine.remove(container.id)
            container = None
        if container is not None and container.is_up:
            return container
        try:
            if container is None:
                await self._make(plan)
            await self.engine.start(plan.name)
        except UlimitsRefused:
            await self._start_anew(dataclasses.replace(plan, open_files=None))
        except Missing:  # the container's network was removed
            await self._start_anew(plan)
        started = await self.engine.find(plan.name)
        if started is None:
            raise RuntimeUnavailable(f"The container {plan.name} was removed while it started.")
        return started

    async def _make(self, plan: ContainerPlan) -> None:
        await self.engine.ensure_network(plan.network, self.owner.labels)
        await self.engine.create(plan)

    async def _start_anew(self, plan: ContainerPlan) -> None:
        await self.engine.remove(plan.name)
        await self._make(plan)
        await self.engine.start(plan.name)


def _is_current(container: ContainerFacts, plan: ContainerPlan, image: ImageFacts) -> bool:
    return container.image_id == image.id and container.labels.get(CONFIG_LABEL) == plan.labels[CONFIG_LABEL]
