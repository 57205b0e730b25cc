"""/api/local/jobs: the background jobs of the whole appliance; /api/local/prune: what retention deletes."""

from __future__ import annotations

from datetime import datetime
from typing import Final, get_args

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance.api_types.jobs import ApiCut, ApiJob, ApiRetention
from appliance.api_types.pages import ApiList
from appliance.errors import InvalidRequest, NotFound
from appliance.model.jobs import APPLY_RETENTION, Job, JobState
from appliance.queries.retention import plan_retention
from appliance.web.auth import authorize
from appliance.web.params import int_param, list_param
from appliance.web.responses import iso_micros, json_response
from appliance.web.state import context_of

_STATES: Final = get_args(JobState)


async def list_jobs(request: Request) -> Response:
    """The newest jobs, those in one of the states `state` names."""
    await authorize(request)
    states = list_param(request, "state")
    if unknown := [state for state in states if state not in _STATES]:
        raise InvalidRequest(f"There is no state {unknown[0]}: it is one of {', '.join(_STATES)}.")
    limit = int_param(request, "limit", default=50, low=1, high=1000)
    jobs = await context_of(request).jobs.list([state for state in _STATES if state in states] or None, limit)
    return json_response(ApiList([api_job(job) for job in jobs]))


async def get_job(request: Request) -> Response:
    """One job."""
    await authorize(request)
    return _answer(request, await context_of(request).jobs.get(request.path_params["job_id"]))


async def cancel_job(request: Request) -> Response:
    """Cancel a job that waits or runs; a running one ends within seconds."""
    await authorize(request)
    return await _answer_change(
        request, await context_of(request).jobs.cancel(request.path_params["job_id"]), "waiting or running"
    )


async def retry_job(request: Request) -> Response:
    """Let a failed or cancelled job run again."""
    await authorize(request)
    return await _answer_change(
        request, await context_of(request).jobs.retry(request.path_params["job_id"]), "failed or cancelled"
    )


async def show_retention(request: Request) -> Response:
    """What retention would delete now."""
    await authorize(request)
    context = context_of(request)
    plan = await plan_retention(context.clickhouse, context.postgres, context.settings.max_disk_bytes)
    cuts = [
        ApiCut(project_id=cut.project_id, reason=cut.reason, before=iso_micros(cut.before), traces=cut.traces)
        for cut in plan.cuts
    ]
    return json_response(ApiRetention(data=cuts, stored_bytes=plan.stored_bytes, max_bytes=plan.max_bytes))


async def apply_retention(request: Request) -> Response:
    """Apply retention now instead of within the hour; the answer is the job."""
    await authorize(request)
    jobs = context_of(request).jobs
    return _answer(request, await jobs.get(await jobs.enqueue(APPLY_RETENTION, unique_key="")), status=202)


async def _answer_change(request: Request, job: Job | None, required: str) -> Response:
    if job is None and (known := await context_of(request).jobs.get(request.path_params["job_id"])) is not None:
        raise InvalidRequest(f"Job {known.id} is {known.state}, not {required}; or one like it waits already.")
    return _answer(request, job)


def _answer(request: Request, job: Job | None, status: int = 200) -> Response:
    if job is None:
        raise NotFound(f"There is no job {request.path_params.get('job_id', '')}.")
    return json_response(api_job(job), status)


def api_job(job: Job) -> ApiJob:
    """The job without its arguments."""
    return ApiJob(
        id=job.id,
        kind=job.kind,
        state=job.state,
        attempts=job.attempts,
        progress=job.progress,
        total=job.total,
        message=job.message,
        error=job.error,
        is_cancelling=job.is_cancelling,
        run_at=_time(job.run_at),
        created_at=_time(job.created_at),
        started_at=_time(job.started_at),
        finished_at=_time(job.finished_at),
    )


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else iso_micros(round(moment.timestamp() * 1_000_000))


ROUTES = [
    Route("/api/local/jobs", list_jobs, methods=["GET"]),
    Route("/api/local/jobs/{job_id:segment}", get_job, methods=["GET"]),
    Route("/api/local/jobs/{job_id:segment}/cancel", cancel_job, methods=["POST"]),
    Route("/api/local/jobs/{job_id:segment}/retry", retry_job, methods=["POST"]),
    Route("/api/local/prune", show_retention, methods=["GET"]),
    Route("/api/local/prune", apply_retention, methods=["POST"]),
]
