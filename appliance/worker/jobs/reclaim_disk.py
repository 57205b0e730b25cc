"""Reclaims the disk space of deleted rows by rewriting the table parts that hold any."""

from __future__ import annotations

from typing import Final

from appliance.storage.clickhouse import deletions
from appliance.worker.jobs.calm import calm
from appliance.worker.schedule import QueuedJob, RunningJob

KIND: Final = "reclaim_disk"


async def run(running: RunningJob) -> None:
    """Rewrite the parts with deleted rows, one table after the other; harmless to repeat."""
    total = len(deletions.TABLES)
    for number, table in enumerate(deletions.TABLES):

        async def report(text: str, number: int = number) -> None:
            await running.report(text, number, total)

        await calm(running, table)
        await deletions.reclaim(running.stores.clickhouse, table, report)
    await running.conclude("The disk space of deleted rows is free.", total, total)


JOB: Final = QueuedJob(KIND, run)
