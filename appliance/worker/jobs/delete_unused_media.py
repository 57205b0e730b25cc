"""Deletes media of deleted traces, unless something else uses them."""

from __future__ import annotations

from typing import Final

from appliance.storage.postgres.media import MediaRecords
from appliance.worker.schedule import QueuedJob, RunningJob

KIND: Final = "delete_unused_media"
QUIET_S: Final = 30.0
"""Seconds; longer than a worker takes from announcing media until it stores where they are used."""


async def run(running: RunningJob) -> None:
    """Delete those of the job's `media` (pairs of project and media id) that are unused."""
    media = [(project_id, media_id) for project_id, media_id in running.job.arguments["media"]]
    records = MediaRecords(running.stores.postgres)
    # Half of it: the job itself was enqueued with a delay of QUIET_S.
    deleted = await records.delete_unused(media, QUIET_S / 2, running.stores.blobs.delete)
    await running.conclude(f"Deleted {deleted:,} of {len(media):,} files; the others are used.", deleted, len(media))


JOB: Final = QueuedJob(KIND, run)
