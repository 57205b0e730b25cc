"""Which traces exceed the retention of their project, or the disk space of the appliance."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from appliance.storage.clickhouse import retention
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.postgres.media import MediaRecords
from appliance.storage.postgres.pool import Postgres
from appliance.storage.postgres.tenants import Projects

_DAY_US: Final = 86_400_000_000
_FREED_TO: Final = 0.9
"""Share of the size limit that is left after a deletion, so that the next one is not due at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The traces of a project that retention deletes."""

    project_id: str
    before: int
    """Traces that began before this are deleted; microseconds since the epoch."""
    traces: int
    reason: Literal["age", "size"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionPlan:
    """What retention would delete now."""

    cuts: Sequence[Cut]
    stored_bytes: int
    """Bytes that tables and media take on disk; 0 when there is no limit."""
    max_bytes: int
    """The size limit; 0 when there is none."""


async def plan_retention(clickhouse: ClickHouse, postgres: Postgres, max_bytes: int) -> RetentionPlan:
    """The traces that are too old in each project and, when all take more than `max_bytes`, the oldest of all projects.

    Raises StoreUnavailable and QueryTooExpensive.
    """
    now, projects = time.time_ns() // 1000, Projects(postgres)
    before = {project: now - days * _DAY_US for project, days in (await projects.retention_days()).items()}
    cuts = [
        Cut(project_id=project, before=moment, traces=traces, reason="age")
        for project, moment in before.items()
        if (traces := await retention.count_before(clickhouse, project, moment))
    ]
    stored = await stored_bytes(clickhouse, postgres) if max_bytes else 0
    if stored > max_bytes:
        moment = await retention.start_of_share(clickhouse, 1 - max_bytes * _FREED_TO / stored)
        cuts += [
            Cut(project_id=project, before=moment, traces=traces, reason="size")
            for project in await projects.ids()
            if moment > before.get(project, 0) and (traces := await retention.count_before(clickhouse, project, moment))
        ]
    return RetentionPlan(cuts=cuts, stored_bytes=stored, max_bytes=max_bytes)


async def is_nearly_full(clickhouse: ClickHouse, postgres: Postgres, max_bytes: int) -> bool:
    """Whether the size limit is nearly reached, so that deleted rows must free their space; raises StoreUnavailable."""
    return bool(max_bytes) and await stored_bytes(clickhouse, postgres) > max_bytes * _FREED_TO


async def stored_bytes(clickhouse: ClickHouse, postgres: Postgres) -> int:
    """Bytes that the tables of both databases and all media take on disk; raises StoreUnavailable."""
    media = MediaRecords(postgres)
    return sum(await asyncio.gather(retention.stored_bytes(clickhouse), postgres.stored_bytes(), media.stored_bytes()))
