"""Every background job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from appliance.worker.jobs import apply_retention, delete_unused_media, purge_deleted, reclaim_disk
from appliance.worker.jobs.aggregate_traces import AggregateTraces
from appliance.worker.jobs.forget_media import ForgetMedia
from appliance.worker.jobs.housekeeping import Housekeeping
from appliance.worker.schedule import PeriodicJob, QueuedJob, Stores

_QUEUED: Final = (
    purge_deleted.JOB,
    delete_unused_media.JOB,
    reclaim_disk.JOB,
    apply_retention.JOB,
)
QUEUED: Final[Mapping[str, QueuedJob]] = MappingProxyType({job.kind: job for job in _QUEUED})


def periodic_jobs(stores: Stores) -> Sequence[PeriodicJob]:
    """The jobs that repeat while a worker runs."""
    return (AggregateTraces(stores), ForgetMedia(stores), Housekeeping(stores))
