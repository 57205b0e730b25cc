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
from appliance.storage.clickhouse.folding import MOST_TOUCHES, count_waiting, fold_round, forget_touches
from appliance.storage.redis.lease import Lease

log = logging.getLogger(__name__)

EVERY_S: Final = 30.0
LOOK_EVERY_S: Final = 5.0
"""How often it is seen whether many traces wait, whoever wrote them: a worker, a restored copy or a migration."""
LEASE_S: Final = 360
"""Longer than the statements of one round may take together."""
MANY_TRACES: Final = 1_000
"""Readers fold by themselves what is not folded: so many traces are not left to them for half a minute."""
_FORGET_EVERY_S: Final = 3600.0
_LESS: Final = 8
"""What there is no time or memory for is tried with an eighth of it."""


@contextlib.asynccontextmanager
async def folding(clickhouse: ClickHouse, lease: Lease) -> AsyncIterator[None]:
    """Folds traces every half minute inside the block, or when there are many; what is cut short is repeated later."""
    task = asyncio.create_task(_keep_folding(clickhouse, lease))
    try:
        yield
    finally:
        await cancel(task)


async def _keep_folding(clickhouse: ClickHouse, lease: Lease) -> None:
    folded_at = forgotten_at = float("-inf")
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        try:
            if not await fold_when_due(clickhouse, lease, time.monotonic() - folded_at):
                continue
            folded_at = time.monotonic()
            if folded_at - forgotten_at > _FORGET_EVERY_S:
                await forget_touches(clickhouse)
                forgotten_at = folded_at
        except ApplianceError as error:
            log.warning("Traces are not folded this time: %s", error)


async def fold_when_due(clickhouse: ClickHouse, lease: Lease, rested_s: float) -> bool:
    """Fold when many traces wait, or the last time was `EVERY_S` ago; whether this worker did it.

    Raises StoreUnavailable, and QueryTooExpensive when even a single trace is too much.
    """
    are_many = await count_waiting(clickhouse) >= MANY_TRACES
    if not (are_many or rested_s >= EVERY_S) or not await lease.take():
        return False
    try:
        await _fold_all(clickhouse, lease, soon=are_many)
    finally:
        await lease.give_back()
    return True


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
