"""One appliance for all acceptance tests that only send and read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance.appliance_process import Appliance, new_appliance


@pytest.fixture(scope="session")
def appliance() -> Iterator[Appliance]:
    """A running appliance; tests must not stop it and must use names of their own."""
    with new_appliance() as running:
        running.up()
        yield running
