"""Jobs that burden ClickHouse let ingestion go first."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from appliance.worker.schedule import RunningJob

BUSY_ENTRIES: Final = 8
"""Requests in the queue from which ingestion counts as busy."""
BUSY_AGE_S: Final = 1.0
"""Age of the oldest one from which it does, too."""
LONGEST_S: Final = 120.0
"""A step begins after this time however busy it is: what is deleted must go in the end."""
_LOOK_EVERY_S: Final = 0.5
_LOOKS: Final = 3
"""Calm for so many looks in a row."""


async def calm(running: RunningJob, step: str) -> None:
    """Return when little waits in the queue; raises StoreUnavailable."""
    deadline = time.monotonic() + LONGEST_S
    calm_looks = 0
    while calm_looks < _LOOKS and time.monotonic() < deadline:
        queue = await running.stores.stream.backlog()
        if queue.backlog >= BUSY_ENTRIES or queue.oldest_s >= BUSY_AGE_S:
            calm_looks = 0
            await running.report(f"{step}: waiting until ingestion is less busy")
        else:
            calm_looks += 1
        if calm_looks < _LOOKS:
            await asyncio.sleep(_LOOK_EVERY_S)
