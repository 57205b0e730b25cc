"""Deletes hidden objects from every table, with the media that nothing else uses."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Final

from appliance.model.jobs import PURGE_DELETED
from appliance.queries.retention import is_nearly_full
from appliance.storage.clickhouse import deletions
from appliance.storage.clickhouse.deletions import TABLES, Deletion, ObjectKey, ObjectKind
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
"""Seconds; longer than other web processes accept a deleted key from their caches."""
_QUEUE_S: Final = 30.0
"""How long a job waits for the queue before it gives its place to other jobs."""
_WAIT_S: Final = 0.3
_AT_ONCE: Final = 1000
"""Deletions, objects or files of one statement."""
_MICROS: Final = 1_000_000
_MANY: Final = 1000
"""From this many deleted objects on, their disk space is reclaimed at once."""
_RECLAIM_LATER_S: Final = 6 * 3600.0


async def run(running: RunningJob) -> None:
    """Purge everything whose deletion is complete; harmless to repeat."""
    stores, jobs = running.stores, Jobs(running.stores.postgres)
    upto = time.time_ns() // 1000
    complete = [each for each in await deletions.pending(stores.clickhouse) if each.is_complete]
    ready = [each for each in complete if "project" not in each.kinds or each.moment < upto - PROJECT_DELAY_S * _MICROS]
    chosen = ready[:_AT_ONCE]
    if len(complete) > len(chosen):
        delay_s = 0 if len(ready) > len(chosen) else PROJECT_DELAY_S
        await jobs.enqueue(PURGE_DELETED, unique_key="", delay_s=delay_s)
    if not chosen:
        await running.conclude("Nothing to delete.")
        return
    await _wait_for_queue(running, upto)
    # The queue may have merged updates from before the deletion; such rows have the time of the merge as version.
    bounds = dict.fromkeys(TABLES, time.time_ns() // 1000) | {"trace_parts": upto}
    for kind in dict.fromkeys(kind for each in chosen for kind in each.kinds if kind != "project"):
        await _purge(running, kind, [each.moment for each in chosen if kind in each.kinds], bounds)
    for each in chosen:
        if "project" in each.kinds:
            await _purge_projects(running, each)
    # The list that hides the objects goes last: until then a failed purge shows nothing, and is repeated.
    moments = [each.moment for each in chosen]
    await deletions.forget(stores.clickhouse, moments)
    await PendingDeletions(stores.redis).remove(moments)
    total = sum(sum(each.kinds.values()) for each in chosen)
    is_pressing = total >= _MANY or any("project" in each.kinds for each in chosen)
    if is_pressing or await is_nearly_full(stores.clickhouse, stores.postgres, stores.settings.max_disk_bytes):
        await jobs.enqueue(reclaim_disk.KIND, unique_key="")
    elif total:
        await jobs.enqueue(reclaim_disk.KIND, unique_key="", delay_s=_RECLAIM_LATER_S)
    await running.conclude(_summary(chosen), total, total)


def _summary(chosen: Sequence[Deletion]) -> str:
    counts: dict[str, int] = {}
    for each in chosen:
        for kind, objects in each.kinds.items():
            counts[kind] = counts.get(kind, 0) + objects
    texts = [f"{count:,} {_noun(kind)}{'' if count == 1 else 's'}" for kind, count in counts.items()]
    return f"Deleted {', '.join(texts)}." if texts else "Nothing to delete."


def _noun(kind: str) -> str:
    return kind.replace("_", " ")


async def _wait_for_queue(running: RunningJob, upto: int) -> None:
    """Wait until everything accepted up to a moment is written, as it may belong to deleted objects."""
    deadline = time.monotonic() + _QUEUE_S
    while True:
        status = await running.stores.stream.backlog()
        if not status.backlog or status.oldest_s < time.time() - upto / _MICROS:
            return
        if time.monotonic() > deadline:
            raise RunLater("Requests from before the deletion still wait in the queue.", 10)
        await running.report("Waiting for the queue.")
        await asyncio.sleep(_WAIT_S)


async def _purge(running: RunningJob, kind: ObjectKind, moments: Collection[int], upto: Mapping[str, int]) -> None:
    stores = running.stores

    async def report(text: str) -> None:
        await running.report(f"Deleting {_noun(kind)}s: {text}")

    # Patches kept in Redis would write the deleted rows again with the next update of their object.
    since = min(moments) - (KEPT_FOR_S + 60) * _MICROS
    async for patched in deletions.patched_objects(stores.clickhouse, kind, moments, since, _AT_ONCE):
        await Patches(stores.redis).forget(patched)
    await deletions.delete_rows(stores.clickhouse, kind, moments, upto, report, partial(calm, running))
    if kind == "trace":
        await _release_media(running, moments)
    if kind in ("trace", "project"):
        # An aggregation under way could write aggregates of the deleted rows again.
        lease = Lease(stores.redis, aggregate_traces.LEASE, aggregate_traces.LEASE_S)
        while not await lease.take():
            await report("waiting for the aggregation of traces")
            await asyncio.sleep(_WAIT_S)

        async def keep_lease(text: str) -> None:
            await lease.renew()
            await report(text)

        try:
            await deletions.delete_aggregates(stores.clickhouse, kind, moments, upto["touched_traces"], keep_lease)
        finally:
            await lease.give_back()


async def _release_media(running: RunningJob, moments: Collection[int]) -> None:
    """Unlink the media of deleted traces, after enqueueing the job that deletes unused ones.

    In this order, because once unlinked nothing tells which media the traces used.
    """
    stores, records = running.stores, MediaRecords(running.stores.postgres)
    jobs = Jobs(stores.postgres)
    async for keys in deletions.object_keys(stores.clickhouse, "trace", moments, _AT_ONCE):
        traces = [(key.project_id, key.id) for key in keys if "\0" not in key.id]
        if media := await records.of_traces(traces):
            arguments = {"media": [list(each) for each in media]}
            await jobs.enqueue(delete_unused_media.KIND, arguments, delay_s=delete_unused_media.QUIET_S)
            await records.unlink_traces(traces)


async def _purge_projects(running: RunningJob, deletion: Deletion) -> None:
    """Delete the projects of one deletion; of a project that was created again since, only older rows."""
    stores, moments = running.stores, [deletion.moment]
    upto = deletion.moment + PROJECT_DELAY_S * _MICROS
    keys_of_projects: list[ObjectKey] = []
    async for keys in deletions.object_keys(stores.clickhouse, "project", moments, _AT_ONCE):
        keys_of_projects += keys
    projects = Projects(stores.postgres)
    for project in keys_of_projects:
        if (began := await projects.began(project.id)) is not None:
            upto = min(upto, round(began.timestamp() * _MICROS))
    await _purge(running, "project", moments, dict.fromkeys(TABLES, upto))
    records = MediaRecords(stores.postgres)
    for project in keys_of_projects:
        if await projects.began(project.id) is None:
            while await records.delete_of_project(project.id, _AT_ONCE, stores.blobs.delete):
                await running.report("Deleting media.")
            await projects.delete(project.id)


JOB: Final = QueuedJob(PURGE_DELETED, run)
