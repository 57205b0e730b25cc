"""`jobs`: the background jobs; `prune`: applies retention at once."""

from __future__ import annotations

import click

from appliance.api_types.jobs import ApiCut, ApiJob
from appliance.cli.data.reading import Listing, Output, Source, reading
from appliance.cli.data.tables import Column, time_column
from appliance.cli.data.texts import preview
from appliance.client import segment


def _progress(job: ApiJob) -> str:
    return f"{job.progress:,} / {job.total:,}" if job.total else ""


def _message(job: ApiJob) -> str:
    return preview(job.error if job.state == "failed" or not job.message else job.message)


_JOBS: Listing[ApiJob] = Listing(
    "/api/local/jobs",
    ApiJob,
    (
        Column("ID", lambda job: job.id, is_whole=True),
        Column("JOB", lambda job: preview(job.kind)),
        Column("STATE", lambda job: preview(job.state)),
        time_column("CREATED", lambda job: job.created_at, rank=2),
        Column("TRIES", lambda job: str(job.attempts), is_number=True, rank=3),
        Column("DONE", _progress, is_number=True, rank=3),
        Column("MESSAGE", _message, is_free=True),
    ),
)
_CUTS: Listing[ApiCut] = Listing(
    "/api/local/prune",
    ApiCut,
    (
        Column("PROJECT", lambda cut: preview(cut.project_id)),
        Column("REASON", lambda cut: preview(cut.reason)),
        time_column("BEFORE", lambda cut: cut.before),
        Column("TRACES", lambda cut: f"{cut.traces:,}", is_number=True),
    ),
)


@click.group()
def jobs() -> None:
    """Look at the background jobs of the appliance; cancel or retry them.

    \b
    Example:
      langfuse-local jobs list --state failed
      langfuse-local jobs retry 0f6cbd4e5a9d4c5f8d4f1a8a4f6b1c2d
    """


@jobs.command(name="list")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(["waiting", "running", "done", "failed", "cancelled"]),
    help="Only jobs in this state; may be repeated.",
)
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="Most rows.")
@reading
async def list_jobs(source: Source, output: Output, states: tuple[str, ...], limit: int) -> None:
    """List jobs, newest first.

    \b
    Example:
      langfuse-local jobs list --state waiting --state running
    """
    async with source.client() as client:
        answer = await client.send("GET", _JOBS.path, {"state": ",".join(states) or None, "limit": limit})
    output.rows(answer["data"], _JOBS)


@jobs.command()
@click.argument("id")
@reading
async def show(source: Source, output: Output, id: str) -> None:
    """Show one job.

    \b
    Example:
      langfuse-local jobs show 0f6cbd4e5a9d4c5f8d4f1a8a4f6b1c2d --json
    """
    await _request(source, output, "GET", id)


@jobs.command()
@click.argument("id")
@reading
async def cancel(source: Source, output: Output, id: str) -> None:
    """Cancel a job that waits or runs; a running one ends within seconds.

    \b
    Example:
      langfuse-local jobs cancel 0f6cbd4e5a9d4c5f8d4f1a8a4f6b1c2d
    """
    await _request(source, output, "POST", id, "/cancel")


@jobs.command()
@click.argument("id")
@reading
async def retry(source: Source, output: Output, id: str) -> None:
    """Let a failed or cancelled job run again.

    \b
    Example:
      langfuse-local jobs retry 0f6cbd4e5a9d4c5f8d4f1a8a4f6b1c2d
    """
    await _request(source, output, "POST", id, "/retry")


@click.command()
@click.option("--dry-run", is_flag=True, help="Only show what would be deleted.")
@reading
async def prune(source: Source, output: Output, dry_run: bool) -> None:
    """Delete traces beyond the age or disk space that is set, without waiting for the hourly job.

    The bounds are LANGFUSE_INIT_PROJECT_RETENTION (days, per project) and LANGFUSE_LOCAL_MAX_DISK_BYTES.

    \b
    Example:
      langfuse-local prune --dry-run
    """
    async with source.client() as client:
        plan = await client.send("GET", _CUTS.path)
        if not dry_run and plan["data"]:
            job = await client.send("POST", _CUTS.path)
            click.echo(f"Job {job['id']} deletes these (langfuse-local jobs show {job['id']}):", err=True)
    if plan["data"] or output.as_json:
        output.rows(plan["data"], _CUTS)
    else:
        click.echo("Nothing exceeds the retention limits.", err=True)


async def _request(source: Source, output: Output, method: str, id: str, verb: str = "") -> None:
    """Print the job that the server answers with."""
    async with source.client() as client:
        job = await client.send(method, f"{_JOBS.path}/{segment(id)}{verb}")
    if output.is_json:
        output.object(job)
        return
    for name, value in job.items():
        if value not in (None, "", {}):
            click.echo(f"{name:<14}{preview(value)}")
