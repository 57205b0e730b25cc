"""Tasks end, also those that miss a cancellation."""

from __future__ import annotations

import asyncio
import contextlib

from appliance.cancelling import cancel


async def test_a_cancellation_that_gets_lost_is_repeated() -> None:
    lost = 0

    async def endless() -> None:
        nonlocal lost
        while lost < 2:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)
            lost += 1
        await asyncio.sleep(3600)

    task = asyncio.create_task(endless())
    await asyncio.sleep(0)

    async with asyncio.timeout(10):
        await cancel(task)

    assert task.cancelled() and lost == 2


async def test_what_tasks_raise_is_not_raised_here() -> None:
    async def failing() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            raise ValueError("at the end")

    task = asyncio.create_task(failing())
    await asyncio.sleep(0)

    await cancel(task)

    assert isinstance(task.exception(), ValueError)
