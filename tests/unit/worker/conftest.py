"""Tests of the worker run in made-up time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.fakes.clock import QuickLoop


def pytest_asyncio_loop_factories(config: Any, item: Any) -> dict[str, Callable[[], QuickLoop]]:
    return {"quick": QuickLoop}
