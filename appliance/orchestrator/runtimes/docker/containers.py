"""The protocol of a container engine, with the types of its requests and answers, free of any client library."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from appliance.errors import RuntimeUnavailable
from appliance.orchestrator.runtimes.docker.pulls import PullMessage

APPLIANCE_LABEL = "langfuse-local.appliance"
SERVICE_LABEL = "langfuse-local.service"
CONFIG_LABEL = "langfuse-local.config"


class Missing(RuntimeUnavailable):
    """The container, image, network or volume does not exist."""


class UlimitsRefused(RuntimeUnavailable):
    """The engine may not set the requested limits; the container can be created without them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedFile:
    """A file to copy into a container before its first start."""

    path: str
    content: str = field(repr=False)
    uid: int = 0
    mode: int = 0o444


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerPlan:
    """Everything that a container is created from."""

    name: str
    image: str
    user: str
    command: tuple[str, ...]
    environ: Mapping[str, str]
    labels: Mapping[str, str]
    network: str
    alias: str
    volume: str
    volume_path: str
    writable: tuple[str, ...]
    port: int
    host_port: int
    health: str
    memory_bytes: int
    stop_signal: str
    grace_s: int
    files: tuple[PlacedFile, ...]
    open_files: int | None
    shared_memory_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFacts:
    """An image that is present."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerFacts:
    """A container as the engine sees it."""

    id: str
    name: str
    image_id: str
    labels: Mapping[str, str]
    state: str
    """created, running, restarting, exited, paused, dead or removing."""
    exit_code: int = 0
    is_out_of_memory: bool = False
    health: str | None = None
    host_port: int | None = None
    memory_bytes: int = 0

    @property
    def is_up(self) -> bool:
        """Whether it runs, or the engine is about to restart it."""
        return self.state in ("running", "restarting")


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """The CPU and memory use of a container."""

    cpu_percent: float
    """Of one core, since the sample before; 0 at the first."""
    rss_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFacts:
    """Version and memory of the engine."""

    version: str
    memory_bytes: int


class ContainerEngine(Protocol):
    """The operations that the runtime needs of Docker; every method raises RuntimeUnavailable."""

    async def facts(self) -> EngineFacts: ...

    async def find_image(self, image: str) -> ImageFacts | None:
        """The image, None when it is not on this machine."""

    async def pull(self, image: str, on_message: Callable[[PullMessage], None]) -> None:
        """Fetches an image; `on_step` is called in the event loop."""

    async def ensure_network(self, name: str, labels: Mapping[str, str]) -> None: ...

    async def ensure_volume(self, name: str, labels: Mapping[str, str]) -> None: ...

    async def create(self, plan: ContainerPlan) -> str:
        """Creates a container with its files; returns its id."""

    async def start(self, container: str) -> None: ...

    async def stop(self, container: str, grace_s: int) -> None:
        """Stops it, by force after `grace_s` seconds; does nothing when it does not exist."""

    async def remove(self, container: str) -> None:
        """Removes it by force, with its anonymous volumes; named volumes stay."""

    async def find(self, container: str) -> ContainerFacts | None: ...

    async def wait(self, container: str) -> int:
        """Waits until it stops or restarts; returns its exit code."""

    async def tail(self, container: str, count: int) -> list[str]:
        """The last `count` lines that it wrote."""

    async def follow(self, container: str, since_s: float, write: Callable[[bytes], None]) -> None:
        """Passes its output to `write`, in a thread, until it stops."""

    async def usage(self, container: str) -> Usage: ...

    async def owned_volumes(self, labels: Mapping[str, str]) -> Sequence[str]: ...

    async def remove_volume(self, name: str) -> None: ...

    async def remove_network(self, name: str) -> None: ...

    async def close(self) -> None: ...
