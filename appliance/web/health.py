"""Whether data flows: every store answers, a worker is alive, nothing waits too long, the disk is not full."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

from appliance.errors import ApplianceError, StoreUnavailable
from appliance.model.services import DiskStatus, QueueStatus
from appliance.storage.redis.heartbeats import Heartbeats
from appliance.web.context import Context

_VALID_S = 1.0
_PROBE_TIMEOUT_S = 3.0
_MAX_WAIT_S = 60.0
_MIN_FREE_BYTES = 200 * 1024 * 1024


_RECENT_US = 3 * 60 * 1_000_000

_RECENT_EVENTS = (
    "SELECT 1 AS one FROM observations_list WHERE start_time >= fromUnixTimestamp64Micro({since:Int64}) LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why data does not flow, in one sentence."""

    text: str
    """May name addresses, paths and versions of stores."""
    in_short: str
    """Names none of them."""


@dataclass(frozen=True, slots=True)
class Health:
    """The result of one check."""

    reasons: list[Reason]
    """Empty when data flows."""
    warnings: list[str]
    """Conditions that are worth knowing but stop nothing."""
    queue: QueueStatus
    disk: DiskStatus
    workers: list[str]


@dataclass(slots=True)
class HealthCheck:
    """Checks at most once a second, however many requests come."""

    context: Context
    _last: Health | None = None
    _last_at: float = 0.0
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _has_recent: bool = False
    _recent_checked_at: float = 0.0
    _recent_lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def look(self) -> Health:
        """The present health; never raises for a store that is down."""
        async with self._lock:
            if self._last is None or time.monotonic() - self._last_at > _VALID_S:
                self._last = await _look(self.context)
                self._last_at = time.monotonic()
            return self._last

    async def has_recent_events(self) -> bool:
        """Whether any observation began within the last three minutes; raises StoreUnavailable."""
        async with self._recent_lock:
            if time.monotonic() - self._recent_checked_at > _VALID_S:
                since = {"since": time.time_ns() // 1000 - _RECENT_US}
                rows: list[dict[str, int]] = await self.context.clickhouse.rows(_RECENT_EVENTS, since, dict)
                self._has_recent, self._recent_checked_at = bool(rows), time.monotonic()
            return self._has_recent


async def _look(context: Context) -> Health:
    heartbeats = Heartbeats(context.redis)
    postgres, clickhouse, queue, workers, backlog, slow = await asyncio.gather(
        _probe("Postgres", context.postgres.row("SELECT 1 AS one")),
        _probe("ClickHouse", context.clickhouse.ping()),
        _probe("Redis", context.stream.backlog()),
        _probe("Redis", heartbeats.alive()),
        _probe("Redis", context.stream.require_capacity()),
        _probe("Redis", heartbeats.patterns_set_aside()),
    )
    reasons = [answer for answer in (postgres, clickhouse, queue) if isinstance(answer, Reason)]
    status = queue if isinstance(queue, QueueStatus) else QueueStatus()
    if isinstance(backlog, Reason) and isinstance(queue, QueueStatus):
        reasons.append(backlog)
    if isinstance(workers, list) and not workers:
        reasons.append(_plain("No worker has given a sign of life for 10 s."))
    if status.oldest_s > _MAX_WAIT_S:
        waited = f"The oldest of {status.backlog} accepted requests has waited for {status.oldest_s:.0f} s."
        reasons.append(_plain(waited))
    disk = _disk(context)
    if disk.free_bytes and disk.free_bytes < _MIN_FREE_BYTES:
        left = f"has only {disk.free_bytes // 1_000_000} MB left."
        reasons.append(
            Reason(f"The disk of {context.settings.data_dir} {left}", f"The disk of the data directory {left}")
        )
    warnings = []
    if status.dead_letters:
        warnings.append(f"{status.dead_letters} requests could not be processed (langfuse-local dead-letters list).")
    if isinstance(slow, set) and slow:
        warnings.append(
            f"{len(slow)} patterns of models take too long and are not used; GET /api/public/models marks them."
        )
    return Health(reasons, warnings, status, disk, workers if isinstance(workers, list) else [])


async def _probe(store: str, work: Awaitable[Any]) -> Any:
    """The result of `work`, or the reason why it fails or takes too long."""
    try:
        return await asyncio.wait_for(work, _PROBE_TIMEOUT_S)
    except TimeoutError:
        return _plain(f"{store} did not answer within {_PROBE_TIMEOUT_S:.0f} s.")
    except StoreUnavailable as error:
        return Reason(error.message, error.in_short)
    except ApplianceError as error:
        return _plain(error.message)


def _plain(text: str) -> Reason:
    return Reason(text, text)


def _disk(context: Context) -> DiskStatus:
    """The disk of the data directory; zeros where there is no local data directory."""
    try:
        usage = shutil.disk_usage(context.settings.data_dir)
    except OSError:
        return DiskStatus()
    return DiskStatus(used_bytes=usage.used, free_bytes=usage.free)
