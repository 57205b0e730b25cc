"""Deletes traces that are older than their project keeps them, and the oldest of all when the disk space is used up."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Final

from appliance.model.filters import Condition
from appliance.model.jobs import APPLY_RETENTION, PURGE_DELETED
from appliance.queries.deleting import Deleter
from appliance.queries.retention import Cut, RetentionPlan, plan_retention
from appliance.storage.clickhouse import deletions
from appliance.storage.postgres.jobs import Jobs
from appliance.storage.redis.deletions import PendingDeletions
from appliance.worker.jobs import reclaim_disk
from appliance.worker.schedule import QueuedJob, RunningJob

log = logging.getLogger(__name__)

MOST_AT_ONCE: Final = 200_000
"""Traces hidden by one run; the others follow in the next run, a minute later."""
_AGAIN_AFTER_S: Final = 60.0


async def run(running: RunningJob) -> None:
    """Hide traces that are too old or too many, and enqueue the job that deletes them."""
    stores = running.stores
    max_bytes, jobs = stores.settings.max_disk_bytes, Jobs(stores.postgres)
    if max_bytes and await _frees_disk(jobs):
        # The size on disk still includes deleted rows; measured now, it would delete more than necessary.
        max_bytes = 0
        await jobs.enqueue(APPLY_RETENTION, unique_key="", delay_s=_AGAIN_AFTER_S)
    plan = await plan_retention(stores.clickhouse, stores.postgres, max_bytes)
    for number, cut in enumerate(plan.cuts):
        await running.report(f"Deleting traces of {cut.project_id}.", number, len(plan.cuts))
        await _hide(running, cut)
    text = summary(plan)
    if plan.cuts:
        log.warning("%s", text)
        await jobs.enqueue(PURGE_DELETED, unique_key="", message=text)
        if any(cut.traces > MOST_AT_ONCE for cut in plan.cuts):
            await jobs.enqueue(APPLY_RETENTION, unique_key="", delay_s=_AGAIN_AFTER_S)
    await running.conclude(text, len(plan.cuts), len(plan.cuts))


async def _frees_disk(jobs: Jobs) -> bool:
    """Whether rows are being deleted; if so, their disk space is reclaimed now instead of in some hours."""
    unfinished = {job.kind for job in await jobs.list(["waiting", "running"], 1000)}
    if reclaim_disk.KIND in unfinished:
        await jobs.enqueue(reclaim_disk.KIND, unique_key="")
    return bool(unfinished & {PURGE_DELETED, reclaim_disk.KIND})


async def _hide(running: RunningJob, cut: Cut) -> None:
    stores = running.stores
    deleter = Deleter(stores.clickhouse, PendingDeletions(stores.redis), Jobs(stores.postgres))
    before = Condition(type="datetime", column="timestamp", operator="<", value=cut.before)
    async with deleter.deletion() as moment:
        await deletions.hide_traces(stores.clickhouse, cut.project_id, [before], MOST_AT_ONCE, moment)
        await deletions.hide_old_scores(stores.clickhouse, cut.project_id, cut.before, MOST_AT_ONCE, moment)


def summary(plan: RetentionPlan) -> str:
    """What a plan deletes and why, in sentences."""
    sentences = []
    for reason in ("age", "size"):
        cuts = [cut for cut in plan.cuts if cut.reason == reason]
        if cuts:
            count = sum(cut.traces for cut in cuts)
            until = max(cut.before for cut in cuts)
            why = "they are older than their project keeps them"
            if reason == "size":
                why = f"{plan.stored_bytes:,} bytes are stored, and LANGFUSE_LOCAL_MAX_DISK_BYTES is {plan.max_bytes:,}"
            sentences.append(f"Deleting {count:,} traces from before {_iso(until)[:19]}Z: {why}.")
    return " ".join(sentences) or "Nothing exceeds the retention limits."


def _iso(micros: int) -> str:
    return datetime.fromtimestamp(micros / 1e6, UTC).isoformat(timespec="microseconds")


JOB: Final = QueuedJob(APPLY_RETENTION, run)
