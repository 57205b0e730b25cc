"""A container engine by Docker's SDK: its blocking calls run in threads, its errors are translated."""

from __future__ import annotations

import asyncio
import contextlib
import io
import tarfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

import docker
import requests
from docker.errors import APIError, DockerException, NotFound

from appliance.errors import RuntimeUnavailable
from appliance.orchestrator.runtimes.docker.containers import (
    ContainerFacts,
    ContainerPlan,
    EngineFacts,
    ImageFacts,
    Missing,
    UlimitsRefused,
    Usage,
)
from appliance.orchestrator.runtimes.docker.failures import explain_api_error, explain_connection, refuses_ulimits
from appliance.orchestrator.runtimes.docker.images import (
    HEALTH_INTERVAL_S,
    HEALTH_RETRIES,
    HEALTH_START_S,
    HEALTH_TIMEOUT_S,
    paced,
)
from appliance.orchestrator.runtimes.docker.pulls import PullMessage, parse_message
from appliance.proxies import ask_directly

Result = TypeVar("Result")

CALL_TIMEOUT_S = 60
_NANOSECONDS = 1_000_000_000
_RESTARTS = 5
_LOG_OPTIONS = {"max-size": "10m", "max-file": "3"}


class DockerEngine:
    """A client of Docker's API at `address` (unix://, http+unix:// or tcp:// of this machine)."""

    def __init__(self, address: str, client: docker.APIClient) -> None:
        self._address = address
        self._api = client
        self._samples: dict[str, tuple[int, int]] = {}

    @classmethod
    async def connect(cls, address: str) -> DockerEngine:
        """Connects to an engine; raises RuntimeUnavailable when it does not answer."""

        def open_client() -> docker.APIClient:
            ask_directly(urlsplit(address).hostname or "")
            with _translated(address, "be reached"):
                client = docker.APIClient(base_url=address, version="auto", timeout=CALL_TIMEOUT_S)
                client.ping()
                return client

        return cls(address, await asyncio.to_thread(open_client))

    async def close(self) -> None:
        await asyncio.to_thread(self._api.close)

    async def facts(self) -> EngineFacts:
        info = await self._call("say what it is", self._api.info)
        return EngineFacts(version=str(info.get("ServerVersion", "")), memory_bytes=int(info.get("MemTotal") or 0))

    async def find_image(self, image: str) -> ImageFacts | None:
        try:
            details = await self._call(f"look at {image}", self._api.inspect_image, image)
        except Missing:
            return None
        return ImageFacts(id=details["Id"])

    async def pull(self, image: str, on_message: Callable[[PullMessage], None]) -> None:
        repository, tag, digest = split_reference(image)
        loop = asyncio.get_running_loop()

        def run() -> None:
            for message in self._api.pull(repository, tag=digest or tag, stream=True, decode=True):
                if "error" in message:
                    raise explain_api_error(f"fetch {image}", str(message["error"]), image=image)
                loop.call_soon_threadsafe(on_message, parse_message(message))

        try:
            await self._own_thread(f"fetch {image}", run, image=image)
        except Missing as error:
            raise explain_api_error(f"fetch {image}", "not found", image=image) from error

    async def ensure_network(self, name: str, labels: Mapping[str, str]) -> None:
        if not await self._call("list networks", lambda: self._api.networks(filters={"name": f"^{name}$"})):
            await self._call(f"make the network {name}", self._api.create_network, name, labels=dict(labels))

    async def ensure_volume(self, name: str, labels: Mapping[str, str]) -> None:
        await self._call(f"make the volume {name}", self._api.create_volume, name, labels=dict(labels))

    async def create(self, plan: ContainerPlan) -> str:
        about = f"make the container {plan.name}"
        try:
            container = await self._call(about, self._create, plan, image=plan.image)
        except Missing as error:
            raise explain_api_error(about, "no such image", image=plan.image) from error
        return str(container)

    async def start(self, container: str) -> None:
        facts = await self.find(container)
        about = f"start {facts.name if facts else container}"
        await self._call(about, self._api.start, container, host_port=facts.host_port if facts else None)

    async def stop(self, container: str, grace_s: int) -> None:
        def stop() -> None:
            self._api.stop(container, timeout=grace_s)

        with contextlib.suppress(Missing):
            await self._call("stop a container", stop)

    async def remove(self, container: str) -> None:
        with contextlib.suppress(Missing):
            await self._call("remove a container", lambda: self._api.remove_container(container, force=True, v=True))

    async def find(self, container: str) -> ContainerFacts | None:
        try:
            return _container_facts(await self._call("look at a container", self._api.inspect_container, container))
        except Missing:
            return None

    async def wait(self, container: str) -> int:
        try:
            result = await self._own_thread("watch a container", lambda: self._api.wait(container, timeout=None))
        except Missing:
            return 137  # it was removed by force
        return int(result["StatusCode"])

    async def tail(self, container: str, count: int) -> list[str]:
        try:
            text = await self._call("read a log", lambda: self._api.logs(container, tail=count))
        except Missing:
            return []
        return bytes(text).decode(errors="replace").splitlines()

    async def follow(self, container: str, since_s: float, write: Callable[[bytes], None]) -> None:
        def run() -> None:
            for chunk in self._api.logs(container, stream=True, follow=True, since=since_s or None):
                write(chunk)

        with contextlib.suppress(Missing):
            await self._own_thread("read a log", run)

    async def usage(self, container: str) -> Usage:
        sample = await self._call(
            "measure a container", lambda: self._api.stats(container, stream=False, one_shot=True)
        )
        cpu = int(sample["cpu_stats"]["cpu_usage"].get("total_usage", 0))
        system = int(sample["cpu_stats"].get("system_cpu_usage", 0))
        cores = int(sample["cpu_stats"].get("online_cpus", 1))
        percent = cpu_percent(self._samples.get(container, (cpu, system)), (cpu, system), cores)
        self._samples[container] = (cpu, system)
        return Usage(cpu_percent=percent, rss_bytes=_resident_bytes(sample.get("memory_stats") or {}))

    async def owned_volumes(self, labels: Mapping[str, str]) -> Sequence[str]:
        filters = {"label": [f"{name}={value}" for name, value in labels.items()]}
        answer = await self._call("list volumes", lambda: self._api.volumes(filters=filters))
        return [volume["Name"] for volume in answer.get("Volumes") or []]

    async def remove_volume(self, name: str) -> None:
        with contextlib.suppress(Missing):
            await self._call(f"remove the volume {name}", self._api.remove_volume, name)

    async def remove_network(self, name: str) -> None:
        with contextlib.suppress(Missing):
            await self._call(f"remove the network {name}", self._api.remove_network, name)

    def _create(self, plan: ContainerPlan) -> str:
        container = str(self._api.create_container(**_container_arguments(self._api, plan))["Id"])
        try:
            self._api.put_archive(container, "/", _archive(plan))
        except BaseException:
            self._api.remove_container(container, force=True, v=True)
            raise
        return container

    async def _call(
        self,
        about: str,
        function: Callable[..., Any],
        *arguments: Any,
        image: str = "",
        host_port: int | None = None,
        **keywords: Any,
    ) -> Any:
        def run() -> Any:
            with _translated(self._address, about, image=image, host_port=host_port):
                return function(*arguments, **keywords)

        return await asyncio.to_thread(run)

    async def _own_thread(self, about: str, function: Callable[[], Result], *, image: str = "") -> Result:
        """Runs a long call in a thread of its own: it would block the pool, whose threads delay the process's end."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()

        def settle(action: Callable[[Any], None], value: Any) -> None:
            if not future.done():
                action(value)

        def run() -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits for the result
                try:
                    with _translated(self._address, about, image=image):
                        result = function()
                except RuntimeUnavailable as error:
                    loop.call_soon_threadsafe(settle, future.set_exception, error)
                else:
                    loop.call_soon_threadsafe(settle, future.set_result, result)

        threading.Thread(target=run, daemon=True, name=about).start()
        return await future


@contextlib.contextmanager
def _translated(address: str, about: str, *, image: str = "", host_port: int | None = None) -> Iterator[None]:
    try:
        yield
    except NotFound as error:
        raise Missing(f"Docker cannot {about}: {_text_of(error)}.") from error
    except APIError as error:
        if refuses_ulimits(_text_of(error)):
            raise UlimitsRefused(f"Docker cannot {about}: {_text_of(error)}.") from error
        raise explain_api_error(about, _text_of(error), image=image, host_port=host_port) from error
    except (DockerException, requests.exceptions.RequestException, OSError) as error:
        raise explain_connection(address, str(error)) from error


def _text_of(error: APIError) -> str:
    return str(error.explanation or error)


def split_reference(image: str) -> tuple[str, str, str]:
    """Repository, tag (`latest` by default) and digest (may be empty) of an image's name."""
    name, _, digest = image.partition("@")
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:  # the colon belongs to the registry's port
        repository, tag = name, "latest"
    return repository, tag, digest


def _container_arguments(api: docker.APIClient, plan: ContainerPlan) -> dict[str, Any]:
    files = plan.open_files
    limits = [docker.types.Ulimit(name="nofile", soft=files, hard=files)] if files else []
    host_config = api.create_host_config(
        binds={plan.volume: {"bind": plan.volume_path, "mode": "rw"}},
        port_bindings={plan.port: ("127.0.0.1", plan.host_port)},
        mem_limit=plan.memory_bytes,
        memswap_limit=plan.memory_bytes,
        restart_policy={"Name": "on-failure", "MaximumRetryCount": _RESTARTS},
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        shm_size=plan.shared_memory_bytes,
        ulimits=limits,
        tmpfs=dict.fromkeys(plan.writable, ""),
        log_config={"type": "json-file", "config": _LOG_OPTIONS},
    )
    health = {
        "test": ["CMD-SHELL", paced(plan.health)],
        "interval": HEALTH_INTERVAL_S * _NANOSECONDS,
        "timeout": HEALTH_TIMEOUT_S * _NANOSECONDS,
        "retries": HEALTH_RETRIES,
        "start_period": HEALTH_START_S * _NANOSECONDS,
    }
    return {
        "name": plan.name,
        "image": plan.image,
        "user": plan.user,
        "command": list(plan.command),
        "environment": dict(plan.environ),
        "labels": dict(plan.labels),
        "ports": [plan.port],
        "stop_signal": plan.stop_signal,
        "healthcheck": health,
        "host_config": host_config,
        "networking_config": api.create_networking_config(
            {plan.network: api.create_endpoint_config(aliases=[plan.alias])}
        ),
    }


def _archive(plan: ContainerPlan) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for file in plan.files:
            content = file.content.encode()
            info = tarfile.TarInfo(file.path.lstrip("/"))
            info.size, info.mode, info.uid, info.gid = len(content), file.mode, file.uid, file.uid
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def _container_facts(details: Mapping[str, Any]) -> ContainerFacts:
    state = details["State"]
    bindings = [
        binding for bound in (details["HostConfig"].get("PortBindings") or {}).values() for binding in bound or []
    ]
    return ContainerFacts(
        id=details["Id"],
        name=details["Name"].lstrip("/"),
        image_id=details["Image"],
        labels=details["Config"].get("Labels") or {},
        state=state["Status"],
        exit_code=int(state.get("ExitCode") or 0),
        is_out_of_memory=bool(state.get("OOMKilled")),
        health=(state.get("Health") or {}).get("Status"),
        host_port=int(bindings[0]["HostPort"]) if bindings and bindings[0].get("HostPort") else None,
        memory_bytes=int(details["HostConfig"].get("Memory") or 0),
    )


def cpu_percent(before: tuple[int, int], after: tuple[int, int], cores: int) -> float:
    """Percent of one core between two samples of CPU time: of the container, and of all cores of the machine."""
    used, elapsed = after[0] - before[0], after[1] - before[1]
    if used < 0:  # it was restarted, and its CPU time began at zero
        used = after[0]
    return round(used / elapsed * cores * 100, 1) if elapsed > 0 else 0.0


def _resident_bytes(memory: Mapping[str, Any]) -> int:
    """Memory in use without the reclaimable page cache (control groups version 1 and 2)."""
    details = memory.get("stats") or {}
    cache = details.get("total_inactive_file", details.get("inactive_file", 0))
    return max(0, int(memory.get("usage") or 0) - int(cache))
