"""How long the worker waits for something that is away."""

from __future__ import annotations

import asyncio

import pytest

from appliance.worker.retry import FIRST_S, LONGEST_S, Backoff
from tests.unit.worker.working import now


async def wait_s(backoff: Backoff, stopping: asyncio.Event) -> float:
    began = now()
    await backoff.wait(stopping)
    return now() - began


async def test_waits_double_up_to_the_longest() -> None:
    backoff = Backoff()
    waits = [await wait_s(backoff, asyncio.Event()) for _ in range(8)]
    for number, wait in enumerate(waits):
        assert min(FIRST_S * 2**number, LONGEST_S) == pytest.approx(wait, rel=0.25)


async def test_workers_do_not_all_come_back_at_the_same_moment() -> None:
    waits = {await wait_s(Backoff(), asyncio.Event()) for _ in range(5)}
    assert len(waits) == 5


async def test_after_a_success_waits_begin_anew() -> None:
    backoff = Backoff()
    for _ in range(5):
        await backoff.wait(asyncio.Event())
    backoff.reset()
    assert await wait_s(backoff, asyncio.Event()) < 2 * FIRST_S


async def test_nobody_waits_who_is_told_to_stop() -> None:
    stopping = asyncio.Event()
    stopping.set()
    assert await wait_s(Backoff(), stopping) == 0
