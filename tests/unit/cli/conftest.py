"""What tests of the commands share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.cli.canned_api import Api, serving


@pytest.fixture
def api() -> Iterator[Api]:
    with serving() as known:
        yield known
