"""Deletes what was hidden out of every table, with the media that nothing else uses."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from typing import Final

from appliance.model.jobs import PURGE_DELETED
from appliance.storage.clickhouse import deletions
from appliance.storage.clickhouse.deletions import Deletion, Kind, ObjectKey
from appliance.storage.postgres.jobs import Jobs
from appliance.storage.postgres.media import MediaRecords
from appliance.storage.postgres.tenants import Projects
from appliance.storage.redis.deletions import PendingDeletions
from appliance.storage.redis.lease import Lease
from appliance.storage.redis.patches import KEPT_FOR_S, Patches
from appliance.worker.jobs import aggregate_traces, delete_unused_media, reclaim_disk
from appliance.worker.jobs.calm import calm
from appliance.worker.schedule import QueuedJob, RunLater, RunningJob

PROJECT_DELAY_S: Final = 75
"""Longer than other web processes take a deleted key for valid: what they accept belongs to the project."""
_QUEUE_S: Final = 30.0
_WAIT_S: Final = 0.3
_AT_ONCE: Final = 1000
_MICROS: Final = 1_000_000
_MANY: Final = 1000
"""Objects whose disk space is given back at once."""
_RECLAIM_LATER_S: Final = 6 * 3600.0


async def run(running: RunningJob) -> None:
    """Purge everything that was deleted before now; harmless to repeat."""
    stores = running.stores
    upto = time.time_ns() // 1000
    found = []
    for each in await deletions.pending(stores.clickhouse):
        if each.kind == "project" and each.moment > upto - PROJECT_DELAY_S * _MICROS:
            await Jobs(stores.postgres).enqueue(PURGE_DELETED, unique_key="", delay_s=PROJECT_DELAY_S)
        else:
            found.append(each)
    total = sum(each.objects for each in found)
    await _wait_for_queue(running, upto)
    for kind in dict.fromkeys(each.kind for each in found):
        await _purge(running, kind, upto, total)
    await PendingDeletions(stores.redis).remove({each.moment for each in found})
    if total:
        delay_s = 0.0 if total >= _MANY or any(each.kind == "project" for each in found) else _RECLAIM_LATER_S
        await Jobs(stores.postgres).enqueue(reclaim_disk.KIND, unique_key="", delay_s=delay_s)
    await running.conclude(_summary(found), total, total)


def _summary(found: Sequence[Deletion]) -> str:
    counts: dict[str, int] = {}
    for each in found:
        counts[each.kind] = counts.get(each.kind, 0) + each.objects
    told = [f"{count:,} {kind}{'' if count == 1 else 's'}" for kind, count in counts.items()]
    return f"Deleted {', '.join(told)}." if told else "Nothing was to be deleted."


async def _wait_for_queue(running: RunningJob, upto: int) -> None:
    """Until everything is written that was accepted up to a moment: it may belong to what is deleted."""
    deadline = time.monotonic() + _QUEUE_S
    while True:
        status = await running.stores.stream.backlog()
        if not status.backlog or status.oldest_s < time.time() - upto / _MICROS:
            return
        if time.monotonic() > deadline:
            raise RunLater("Requests from before the deletion still wait in the queue.", 10)
        await running.report("Waiting for the queue.")
        await asyncio.sleep(_WAIT_S)


async def _purge(running: RunningJob, kind: Kind, upto: int, total: int) -> None:
    stores = running.stores

    async def report(text: str) -> None:
        await running.report(f"Deleting {kind}s: {text}", 0, total)

    since = upto - (KEPT_FOR_S + 60) * _MICROS
    patched = await deletions.patched_objects(stores.clickhouse, kind, upto, since)
    await Patches(stores.redis).forget([(each.project_id, each.kind, each.id) for each in patched])
    await deletions.delete_rows(stores.clickhouse, kind, upto, report, partial(calm, running))
    if kind == "trace":
        await _release_media(running, upto)
    if kind in ("trace", "project"):
        lease = Lease(stores.redis, aggregate_traces.LEASE, aggregate_traces.LEASE_S)
        while not await lease.take():
            await report("waiting for the aggregation of traces")
            await asyncio.sleep(_WAIT_S)
        try:
            await deletions.delete_aggregates(stores.clickhouse, kind, upto, report)
        finally:
            await lease.give_back()
    if kind == "project":
        async for projects in deletions.object_keys(stores.clickhouse, "project", upto, _AT_ONCE):
            await _delete_projects(running, projects)
    await deletions.forget(stores.clickhouse, kind, upto)


async def _release_media(running: RunningJob, upto: int) -> None:
    """Forget that the traces use media, after a job is there that looks whether anything else does."""
    stores, records = running.stores, MediaRecords(running.stores.postgres)
    jobs = Jobs(stores.postgres)
    async for keys in deletions.object_keys(stores.clickhouse, "trace", upto, _AT_ONCE):
        traces = [(key.project_id, key.id) for key in keys if "\0" not in key.id]
        if media := await records.of_traces(traces):
            arguments = {"media": [list(each) for each in media]}
            await jobs.enqueue(delete_unused_media.KIND, arguments, delay_s=delete_unused_media.QUIET_S)
            await records.unlink_traces(traces)


async def _delete_projects(running: RunningJob, projects: Sequence[ObjectKey]) -> None:
    stores, records = running.stores, MediaRecords(running.stores.postgres)
    for project in projects:
        while await records.delete_of_project(project.id, _AT_ONCE, stores.blobs.delete):
            await running.report("Deleting media.")
        await Projects(stores.postgres).delete(project.id)


JOB: Final = QueuedJob(PURGE_DELETED, run)
