"""uvicorn's server with one tick a second instead of ten, and an immediate stop."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

import uvicorn

_TICK_S: Final = 1.0
"""Seconds between renewals of the Date header."""
_TICKS_A_SECOND: Final = 10
"""Ticks of uvicorn's loop, which renews the date when its count is divisible by this."""


class CalmServer(uvicorn.Server):
    """uvicorn's server for one process; uvicorn's tick every 0.1 s is most of the CPU use of an idle server."""

    def __init__(self, config: uvicorn.Config) -> None:
        self._stops = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told = asyncio.Event()
        super().__init__(config)

    @property
    def should_exit(self) -> bool:
        """Whether it shall stop; may be set by a signal handler."""
        return self._stops

    @should_exit.setter
    def should_exit(self, value: bool) -> None:
        self._stops = value
        if value and self._loop is not None:
            self._loop.call_soon_threadsafe(self._told.set)

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(_TICKS_A_SECOND):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TICK_S):
                    await self._told.wait()
