"""Retries with growing pauses."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import Final

from appliance.errors import Overloaded, QueryTooExpensive, StoreRefused, StoreUnavailable, TooMuchAtOnce

FIRST_S: Final = 0.1
LONGEST_S: Final = 2.0

AWAY: Final = (StoreUnavailable, Overloaded)
"""Errors that pass with time: a store that is down or refuses for now, a Redis without memory."""

DOUBTFUL: Final = (TooMuchAtOnce, QueryTooExpensive, StoreRefused)
"""Errors that pass with time unless the request itself causes them."""


class Backoff:
    """The pauses of one sequence of attempts: doubled each time up to two seconds, with jitter."""

    def __init__(self) -> None:
        self._next_s = FIRST_S

    def reset(self) -> None:
        """Start again with the shortest pause."""
        self._next_s = FIRST_S

    async def wait(self, stopping: asyncio.Event) -> None:
        """Wait once, or until `stopping` is set."""
        delay = self._next_s * random.uniform(0.8, 1.2)
        self._next_s = min(self._next_s * 2, LONGEST_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await stopping.wait()


class Stopped(Exception):
    """The worker was told to stop while a store was away; its entries are left to the next worker."""
