"""Keeps the folded traces up to date while the worker runs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from typing import Final

from appliance.cancelling import cancel
from appliance.errors import ApplianceError, QueryTooExpensive
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.folding import MOST_TOUCHES, fold_round, forget_touches
from appliance.storage.redis.lease import Lease

log = logging.getLogger(__name__)

EVERY_S: Final = 30.0
LEASE_S: Final = 360
"""Longer than the statements of one round may take together."""
MANY_TRACES: Final = 10_000
"""Readers fold by themselves what is not folded: so many traces are not left to them for half a minute."""
_LEAST_PAUSE_S: Final = 3.0
_FORGET_EVERY_S: Final = 3600.0
_LESS: Final = 8
"""What there is no time or memory for is tried with an eighth of it."""


class Unfolded:
    """Counts the traces that this worker wrote to since the last time it folded."""

    def __init__(self) -> None:
        self._traces = 0
        self._are_many = asyncio.Event()

    def add(self, traces: int) -> None:
        """So many traces were written to."""
        self._traces += traces
        if self._traces >= MANY_TRACES:
            self._are_many.set()

    async def become_many(self, within_s: float) -> bool:
        """Whether they are many before the seconds are over; begins to count anew."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._are_many.wait()
        are_many = self._are_many.is_set()
        self._traces = 0
        self._are_many.clear()
        return are_many


@contextlib.asynccontextmanager
async def folding(clickhouse: ClickHouse, lease: Lease, unfolded: Unfolded) -> AsyncIterator[None]:
    """Folds traces every half minute inside the block, or when there are many; what is cut short is repeated later."""
    task = asyncio.create_task(_keep_folding(clickhouse, lease, unfolded))
    try:
        yield
    finally:
        await cancel(task)


async def _keep_folding(clickhouse: ClickHouse, lease: Lease, unfolded: Unfolded) -> None:
    forgotten_at = float("-inf")
    pause_s = 0.0
    while True:
        await asyncio.sleep(_LEAST_PAUSE_S)
        are_many = await unfolded.become_many(pause_s)
        pause_s = EVERY_S - _LEAST_PAUSE_S
        try:
            if not await lease.take():
                continue
            try:
                await _fold_all(clickhouse, lease, soon=are_many)
                if time.monotonic() - forgotten_at > _FORGET_EVERY_S:
                    await forget_touches(clickhouse)
                    forgotten_at = time.monotonic()
            finally:
                await lease.give_back()
        except ApplianceError as error:
            log.warning("Traces are not folded this time: %s", error)


async def _fold_all(clickhouse: ClickHouse, lease: Lease, *, soon: bool = False) -> None:
    """One round after the other, each with less when there was no time or memory for more, until all is folded."""
    most, is_finished = MOST_TOUCHES, False
    while not is_finished:
        try:
            is_finished = await fold_round(clickhouse, most=most, soon=soon) < most
        except QueryTooExpensive:
            if most == 1:
                raise
            most = max(most // _LESS, 1)
        is_finished = is_finished or not await lease.renew()
