"""The SDK's errors come out in our words; its answers in our types."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from docker.errors import APIError, DockerException, ImageNotFound, NotFound

from appliance.errors import RuntimeUnavailable
from appliance.orchestrator.runtimes.docker.containers import UlimitsRefused
from appliance.orchestrator.runtimes.docker.engine import DockerEngine, cpu_percent
from appliance.orchestrator.runtimes.docker.pulls import PullMessage

INSPECTED: dict[str, Any] = {
    "Id": "c1",
    "Name": "/langfuse-local-x-redis",
    "Image": "sha256:1",
    "State": {"Status": "exited", "ExitCode": 137, "OOMKilled": True, "Health": {"Status": "unhealthy"}},
    "Config": {"Labels": {"a": "b"}},
    "HostConfig": {"Memory": 5, "PortBindings": {"6379/tcp": [{"HostIp": "127.0.0.1", "HostPort": "16379"}]}},
}


class FakeApi:
    """Answers every method with what it was given, or raises it."""

    def __init__(self, **answers: Any) -> None:
        self._answers = answers

    def __getattr__(self, name: str) -> Any:
        def answer(*_: Any, **__: Any) -> Any:
            found = self._answers[name]
            if isinstance(found, Exception):
                raise found
            return found.pop(0) if isinstance(found, list) and name == "stats" else found

        return answer


def engine(**answers: Any) -> DockerEngine:
    return DockerEngine("unix:///run/docker.sock", FakeApi(**answers))


def refusal(text: str) -> APIError:
    return APIError("500 Server Error", explanation=text)


@pytest.mark.parametrize(
    "error",
    [
        DockerException("Error while fetching server API version: FileNotFoundError"),
        requests.ConnectionError("No such file"),
    ],
)
async def test_a_daemon_that_is_down(error: Exception) -> None:
    with pytest.raises(RuntimeUnavailable, match=r"unix:///run/docker.sock does not exist"):
        await engine(info=error).facts()


async def test_what_does_not_exist_is_none() -> None:
    assert await engine(inspect_image=ImageNotFound("no such image")).find_image("x") is None
    assert await engine(inspect_container=NotFound("no such container")).find("x") is None
    await engine(stop=NotFound("gone")).stop("x", 1)
    await engine(remove_container=NotFound("gone")).remove("x")
    assert await engine(wait=NotFound("gone")).wait("x") == 137


async def test_a_taken_port_is_named() -> None:
    started = engine(
        inspect_container=INSPECTED, start=refusal("Bind for 127.0.0.1:16379 failed: port is already allocated")
    )
    with pytest.raises(RuntimeUnavailable, match=r"cannot start langfuse-local-x-redis: port 16379 is taken"):
        await started.start("c1")


async def test_refused_ulimits_are_told_apart() -> None:
    started = engine(inspect_container=INSPECTED, start=refusal("error setting rlimit type 7: operation not permitted"))
    with pytest.raises(UlimitsRefused):
        await started.start("c1")


async def test_a_container_in_our_types() -> None:
    facts = await engine(inspect_container=INSPECTED).find("c1")
    assert facts is not None
    assert (facts.name, facts.host_port, facts.is_out_of_memory, facts.health) == (
        "langfuse-local-x-redis",
        16379,
        True,
        "unhealthy",
    )
    assert not facts.is_up


async def test_pull_hands_on_its_steps() -> None:
    seen: list[PullMessage] = []
    await engine(pull=[{"status": "Downloading", "id": "a", "progressDetail": {"current": 1, "total": 2}}]).pull(
        "redis:7", seen.append
    )
    assert seen == [PullMessage(layer="a", status="Downloading", current_bytes=1, total_bytes=2)]


@pytest.mark.parametrize(
    "answer",
    [[{"error": "manifest for redis:99 not found"}], ImageNotFound("x", explanation="manifest unknown")],
)
async def test_an_image_that_does_not_exist(answer: Any) -> None:
    with pytest.raises(RuntimeUnavailable, match=r"The image redis:99 does not exist"):
        await engine(pull=answer).pull("redis:99", lambda _: None)


async def test_no_network_to_pull() -> None:
    offline = refusal("Get https://registry.example/v2/: dial tcp: lookup registry.example: no such host")
    with pytest.raises(RuntimeUnavailable, match="its registry cannot be reached"):
        await engine(pull=offline).pull("redis:7", lambda _: None)


async def test_usage_is_a_difference() -> None:
    def sample(cpu: int, system: int) -> dict[str, Any]:
        return {
            "cpu_stats": {"cpu_usage": {"total_usage": cpu}, "system_cpu_usage": system, "online_cpus": 2},
            "memory_stats": {"usage": 100, "stats": {"inactive_file": 40}},
        }

    measured = engine(stats=[sample(0, 0), sample(50, 400)])
    assert (await measured.usage("c1")).cpu_percent == 0.0
    second = await measured.usage("c1")
    assert (second.cpu_percent, second.rss_bytes) == (25.0, 60)


def test_the_processor_time_of_a_container_that_began_anew_is_not_below_zero() -> None:
    assert cpu_percent((100, 1000), (150, 1200), cores=2) == 50.0
    assert cpu_percent((5000, 1000), (10, 1200), cores=2) == 10.0
    assert cpu_percent((5, 1000), (5, 1000), cores=2) == 0.0
