"""`jobs`: what runs in the background; `prune`: retention, now."""

from __future__ import annotations

from typing import Any

import click

from appliance.cli import render
from appliance.cli.output import json_text
from appliance.cli.reading import Output, Source, reading
from appliance.cli.tables import Column
from appliance.client import segment

_PATH = "/api/local/jobs"


def _progress(row: Any) -> str:
    return f"{row['progress']:,} / {row['total']:,}" if row["total"] else ""


def _message(row: Any) -> str:
    return render.preview(row["error"] if row["state"] == "failed" or not row["message"] else row["message"])


_COLUMNS = (
    Column("ID", lambda row: str(row["id"]), is_whole=True),
    Column("JOB", render.field("kind")),
    Column("STATE", render.field("state")),
    render.time_column("CREATED", "createdAt", rank=2),
    Column("TRIES", lambda row: str(row["attempts"]), is_number=True, rank=3),
    Column("DONE", _progress, is_number=True, rank=3),
    Column("MESSAGE", _message, is_free=True),
)
_CUTS = (
    Column("PROJECT", render.field("projectId")),
    Column("REASON", render.field("reason")),
    render.time_column("BEFORE", "before"),
    Column("TRACES", lambda row: f"{row['traces']:,}", is_number=True),
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
        found = await client.send("GET", _PATH, {"state": ",".join(states) or None, "limit": limit})
    output.rows(found["data"], _COLUMNS)


@jobs.command()
@click.argument("id")
@reading
async def show(source: Source, output: Output, id: str) -> None:
    """Show one job.

    \b
    Example:
      langfuse-local jobs show 0f6cbd4e5a9d4c5f8d4f1a8a4f6b1c2d --json
    """
    await _ask(source, output, "GET", id)


@jobs.command()
@click.argument("id")
@reading
async def cancel(source: Source, output: Output, id: str) -> None:
    """Cancel a job that waits or runs; a running one ends within seconds.

    \b
    Example:
      langfuse-local jobs cancel 0f6cbd4e5a9d4c5f8d4f1a8a4f6b1c2d
    """
    await _ask(source, output, "POST", id, "/cancel")


@jobs.command()
@click.argument("id")
@reading
async def retry(source: Source, output: Output, id: str) -> None:
    """Let a failed or cancelled job run again.

    \b
    Example:
      langfuse-local jobs retry 0f6cbd4e5a9d4c5f8d4f1a8a4f6b1c2d
    """
    await _ask(source, output, "POST", id, "/retry")


@click.command()
@click.option("--dry-run", is_flag=True, help="Only show what would be deleted.")
@reading
async def prune(source: Source, output: Output, dry_run: bool) -> None:
    """Delete what is older than its project keeps it, or more than the disk space that is set, without waiting.

    The bounds are LANGFUSE_INIT_PROJECT_RETENTION (days, per project) and LANGFUSE_LOCAL_MAX_DISK_BYTES.

    \b
    Example:
      langfuse-local prune --dry-run
    """
    async with source.client() as client:
        plan = await client.send("GET", "/api/local/prune")
        if not dry_run and plan["data"]:
            job = await client.send("POST", "/api/local/prune")
            click.echo(f"Job {job['id']} deletes these (langfuse-local jobs show {job['id']}):", err=True)
    if plan["data"] or output.as_json:
        output.rows(plan["data"], _CUTS)
    else:
        click.echo("Nothing is older or larger than it may be.", err=True)


async def _ask(source: Source, output: Output, method: str, id: str, verb: str = "") -> None:
    """Print the job that the server answers with."""
    async with source.client() as client:
        job = await client.send(method, f"{_PATH}/{segment(id)}{verb}")
    if output.as_json or output.as_jsonl:
        click.echo(json_text(job, indent=2 if output.as_json else None))
        return
    for name, value in job.items():
        if value not in (None, "", {}):
            click.echo(f"{name:<14}{render.preview(value)}")
