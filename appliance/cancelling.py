"""Ending tasks for certain."""

from __future__ import annotations

import asyncio
from typing import Any, Final

_AGAIN_AFTER_S: Final = 0.5


async def cancel(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks until all have ended; what they raise is their own affair.

    Once is not enough: up to Python 3.11, `asyncio.wait_for`, through which redis-py sends every command, forgets a
    cancellation that arrives together with the result (python/cpython#86296), and an endless task goes on.
    """
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=_AGAIN_AFTER_S)
    for task in tasks:
        if not task.cancelled():
            task.exception()  # seen
