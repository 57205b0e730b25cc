"""Lets ingestion go first before a job puts load on ClickHouse."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from appliance.worker.schedule import RunningJob

BUSY_ENTRIES: Final = 8
"""Requests in the queue from which on ingestion counts as busy."""
BUSY_AGE_S: Final = 1.0
"""Age in seconds of the oldest request from which on it counts as busy, too."""
LONGEST_S: Final = 120.0
"""Seconds after which a step begins however busy ingestion is: deleted rows must go in the end."""
_POLL_S: Final = 0.5
_CALM_POLLS: Final = 3
"""Calm polls in a row that are required: between two batches the queue is empty for a moment, too."""


async def calm(running: RunningJob, step: str) -> None:
    """Wait until the queue is short; raises StoreUnavailable."""
    deadline = time.monotonic() + LONGEST_S
    calm_polls = 0
    while calm_polls < _CALM_POLLS and time.monotonic() < deadline:
        queue = await running.stores.stream.backlog()
        if queue.backlog >= BUSY_ENTRIES or queue.oldest_s >= BUSY_AGE_S:
            calm_polls = 0
            await running.report(f"{step}: waiting until ingestion is less busy")
        else:
            calm_polls += 1
        if calm_polls < _CALM_POLLS:
            await asyncio.sleep(_POLL_S)
