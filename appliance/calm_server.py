"""uvicorn's server, woken up once a second instead of ten times, and at once when it is to stop."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

import uvicorn

_TICK_S: Final = 1.0
"""How often the date in the headers of answers is renewed."""
_TICKS_A_SECOND: Final = 10
"""Of uvicorn's own loop, which renews the date when its count can be divided by this."""


class CalmServer(uvicorn.Server):
    """Serves one process; a tick of uvicorn's own loop every 0.1 s is most of what idle Python costs."""

    def __init__(self, config: uvicorn.Config) -> None:
        self._stops = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told = asyncio.Event()
        super().__init__(config)

    @property
    def should_exit(self) -> bool:
        """Whether it is to stop; a signal handler may set it."""
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
