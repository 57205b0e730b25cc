"""Waiting longer and longer for something that is away."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import Final

from appliance.errors import Overloaded, QueryTooExpensive, StoreRefused, StoreUnavailable, TooMuchAtOnce

FIRST_S: Final = 0.1
LONGEST_S: Final = 2.0

AWAY: Final = (StoreUnavailable, Overloaded)
"""What waiting mends: a store that is down or refuses for now, Redis without memory."""

DOUBTFUL: Final = (TooMuchAtOnce, QueryTooExpensive, StoreRefused)
"""What waiting mends when others burden ClickHouse or it is at fault, but never when a request itself is to blame."""


class Backoff:
    """The waits of one sequence of attempts: doubled each time up to two seconds, with some chance in them."""

    def __init__(self) -> None:
        self._next_s = FIRST_S

    def reset(self) -> None:
        """Begin again with the shortest wait."""
        self._next_s = FIRST_S

    async def wait(self, stopping: asyncio.Event) -> None:
        """Wait once, or until `stopping` is set."""
        delay = self._next_s * random.uniform(0.8, 1.2)
        self._next_s = min(self._next_s * 2, LONGEST_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await stopping.wait()


class Stopped(Exception):
    """The worker was told to stop while something was away: what is in hand is left to whoever comes next."""
