"""Images are fetched from a real registry over the real engine, with the progress of each layer."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import docker
import pytest

from appliance.errors import RuntimeUnavailable
from appliance.orchestrator.runtimes.docker.engine import DockerEngine
from appliance.orchestrator.runtimes.docker.pulls import PullMessage, PullTracker
from appliance.orchestrator.runtimes.docker.sockets import engine_address, usual_sockets
from tests.integration.docker.engine_here import HOST
from tests.integration.docker.registry import LAYER_BYTES, registry

pytestmark = pytest.mark.skipif("podman" in HOST, reason="Podman wants TLS of a registry on loopback, too")


@pytest.fixture
async def engine(engine_here: None) -> AsyncIterator[DockerEngine]:
    made = await DockerEngine.connect(engine_address(HOST, usual_sockets()))
    yield made
    await made.close()


async def test_a_pull_tells_its_progress(engine: DockerEngine) -> None:
    with registry("team/store") as image:
        seen: list[PullMessage] = []
        assert await engine.find_image(image) is None
        await engine.pull(image, seen.append)
        try:
            found = await engine.find_image(image)
            assert found is not None and found.id.startswith("sha256:")
        finally:
            with contextlib.closing(docker.from_env()) as client:
                client.images.remove(image, force=True)
    tracker = PullTracker(image)
    progress = [tracker.advance(step) for step in seen]
    assert (progress[-1].layers_done, progress[-1].layers_total) == (2, 2)
    assert progress[-1].current_bytes == progress[-1].total_bytes > 2 * LAYER_BYTES
    shares = [step.current_bytes for step in progress]
    assert shares == sorted(shares), "the bar never goes back"


async def test_a_tag_that_does_not_exist(engine: DockerEngine) -> None:
    with registry("team/store") as image:
        wrong = image.removesuffix(":1") + ":2"
        with pytest.raises(RuntimeUnavailable, match=f"The image {wrong} does not exist"):
            await engine.pull(wrong, lambda _: None)


async def test_a_registry_that_is_away(engine: DockerEngine) -> None:
    with registry("team/store") as image:
        pass
    with pytest.raises(RuntimeUnavailable, match="its registry cannot be reached"):
        await engine.pull(image, lambda _: None)
