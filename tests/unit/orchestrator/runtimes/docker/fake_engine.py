"""A container engine in memory, with the manners of the real one."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from appliance.errors import RuntimeUnavailable
from appliance.orchestrator.runtimes.docker.containers import (
    ContainerFacts,
    ContainerPlan,
    EngineFacts,
    ImageFacts,
    UlimitsRefused,
    Usage,
)
from appliance.orchestrator.runtimes.docker.pulls import PullMessage


@dataclass(slots=True)
class FakeEngine:
    """Remembers what it was asked for in `calls`."""

    images: dict[str, ImageFacts] = field(default_factory=dict)
    containers: dict[str, ContainerFacts] = field(default_factory=dict)
    plans: dict[str, ContainerPlan] = field(default_factory=dict)
    volumes: dict[str, Mapping[str, str]] = field(default_factory=dict)
    networks: dict[str, Mapping[str, str]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    refuses_ulimits: bool = False
    start_error: RuntimeUnavailable | None = None
    usage_delay_s: float = 0
    usage_error: RuntimeUnavailable | None = None
    ended: dict[str, asyncio.Event] = field(default_factory=dict)

    def end(self, name: str, code: int, *, is_out_of_memory: bool = False) -> None:
        """Lets a container end by itself."""
        facts = self.containers[name]
        self.containers[name] = dataclasses.replace(
            facts, state="exited", exit_code=code, is_out_of_memory=is_out_of_memory
        )
        self.ended[name].set()

    async def facts(self) -> EngineFacts:
        return EngineFacts(version="fake", memory_bytes=8 << 30)

    async def find_image(self, image: str) -> ImageFacts | None:
        return self.images.get(image)

    async def pull(self, image: str, on_message: Callable[[PullMessage], None]) -> None:
        self.calls.append(f"pull {image}")
        on_message(PullMessage(layer="a", status="Downloading", current_bytes=5, total_bytes=10))
        on_message(PullMessage(layer="a", status="Pull complete"))
        self.images[image] = ImageFacts(id=f"id of {image}")

    async def ensure_network(self, name: str, labels: Mapping[str, str]) -> None:
        self.networks[name] = labels

    async def ensure_volume(self, name: str, labels: Mapping[str, str]) -> None:
        self.volumes[name] = labels

    async def create(self, plan: ContainerPlan) -> str:
        self.calls.append(f"create {plan.alias}")
        self.plans[plan.name] = plan
        self.ended[plan.name] = asyncio.Event()
        self.containers[plan.name] = ContainerFacts(
            id=plan.name,
            name=plan.name,
            image_id=self.images[plan.image].id,
            labels=plan.labels,
            state="created",
            host_port=plan.host_port,
            memory_bytes=plan.memory_bytes,
        )
        return plan.name

    async def start(self, container: str) -> None:
        self.calls.append(f"start {self.plans[container].alias}")
        if self.refuses_ulimits and self.plans[container].open_files is not None:
            raise UlimitsRefused("error setting rlimit")
        if self.start_error is not None:
            raise self.start_error
        self.ended[container].clear()
        self.containers[container] = dataclasses.replace(self.containers[container], state="running", exit_code=0)

    async def stop(self, container: str, grace_s: int) -> None:
        self.calls.append(f"stop {self.plans[container].alias}")
        self.end(container, 0)

    async def remove(self, container: str) -> None:
        if self.containers.pop(container, None) is not None:
            self.calls.append(f"remove {self.plans[container].alias}")

    async def find(self, container: str) -> ContainerFacts | None:
        return self.containers.get(container)

    async def wait(self, container: str) -> int:
        await self.ended[container].wait()
        return self.containers[container].exit_code

    async def tail(self, container: str, count: int) -> list[str]:
        return self.lines[-count:]

    async def follow(self, container: str, since_s: float, write: Callable[[bytes], None]) -> None:
        for line in self.lines:
            write(f"{line}\n".encode())
        await self.ended[container].wait()

    async def usage(self, container: str) -> Usage:
        await asyncio.sleep(self.usage_delay_s)
        if self.usage_error is not None:
            raise self.usage_error
        return Usage(cpu_percent=1.0, rss_bytes=1 << 20)

    async def owned_volumes(self, labels: Mapping[str, str]) -> Sequence[str]:
        return [name for name, owned in self.volumes.items() if labels.items() <= owned.items()]

    async def remove_volume(self, name: str) -> None:
        del self.volumes[name]

    async def remove_network(self, name: str) -> None:
        self.networks.pop(name, None)

    async def close(self) -> None:
        self.calls.append("close")
