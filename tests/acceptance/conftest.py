"""One appliance for all acceptance tests that only send and read.

ACCEPTANCE_RUNTIME chooses what they run on: embedded (also without it), docker, compose or external. On the compose
files, which are not started by our command line, the tests run that only need a server.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance.appliance_process import RUNTIME, Appliance, new_appliance
from tests.acceptance.compose_process import new_compose_appliance
from tests.integration.docker.engine_here import ensure_images, require_engine
from tests.integration.docker.standins.names import STORES

_SERVERS = {"appliance", "own_appliance"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what needs an appliance of this machine when there is a server in containers instead."""
    if RUNTIME not in ("compose", "external"):
        return
    left_out = [
        item
        for item in items
        if item.get_closest_marker("local") or not _SERVERS & set(getattr(item, "fixturenames", ()))
    ]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session", autouse=True)
def runtime_here() -> None:
    """Skips where the chosen runtime cannot be had."""
    if RUNTIME != "embedded":
        require_engine()
        ensure_images(STORES)


@pytest.fixture(scope="session")
def appliance(runtime_here: None) -> Iterator[Appliance]:
    """A running appliance; tests must not stop it and must use names of their own."""
    if RUNTIME in ("compose", "external"):
        with new_compose_appliance(is_external=RUNTIME == "external") as running:
            yield running
        return
    with new_appliance() as running:
        running.up()
        yield running


@pytest.fixture(scope="module")
def own_appliance(request: pytest.FixtureRequest) -> Iterator[Appliance]:
    """One that may be broken; the compose files have only one."""
    if RUNTIME in ("compose", "external"):
        yield request.getfixturevalue("appliance")
        return
    with new_appliance() as appliance:
        appliance.up()
        yield appliance
