"""Cancels tasks reliably."""

from __future__ import annotations

import asyncio
from typing import Any, Final

_AGAIN_AFTER_S: Final = 0.5


async def cancel(*tasks: asyncio.Task[Any]) -> None:
    """Cancels tasks until all have ended; ignores what they raise.

        Once is not enough: up to Python 3.11 `asyncio.wait_for`, which redis-py uses for every command, loses a
    cancellation that arrives together with the result (python/cpython#86296), and an endless task would go on.
    """
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=_AGAIN_AFTER_S)
    for task in tasks:
        if not task.cancelled():
            task.exception()  # retrieved, so that asyncio does not log it
