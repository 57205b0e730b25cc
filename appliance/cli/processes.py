"""`web`, `worker` and `migrate`: one process each in the foreground, for the supervisor, containers and systemd."""

from __future__ import annotations

import asyncio

import click

from appliance.cli.options import settings_from


@click.command()
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on; 3000 without it.")
@click.option("--web-workers", type=click.IntRange(1, 64), help="Number of processes behind the one port.")
@click.option("--fd", type=int, hidden=True, help="A socket that listens already, by its file descriptor.")
@click.option(
    "--instance", default="", hidden=True, help="Value of the header X-Langfuse-Local-Instance in every answer."
)
def web(host: str | None, port: int | None, web_workers: int | None, fd: int | None, instance: str) -> None:
    """Serve the API; the stores come from the environment.

    \b
    Example:
      langfuse-local web --host 0.0.0.0 --port 3000
    """
    from appliance.data_dir.secrets import with_stored_salt
    from appliance.orchestrator.host.limits import raise_file_limit
    from appliance.web.server.serve import serve

    raise_file_limit()
    serve(with_stored_salt(settings_from(host=host, port=port, web_workers=web_workers)), fd, instance)


@click.command()
@click.option(
    "--name",
    default="worker-1",
    show_default=True,
    help="Must differ between workers, and stay the same over restarts.",
)
def worker(name: str) -> None:
    """Write accepted data to the stores, which come from the environment.

    \b
    Example:
      langfuse-local worker --name worker-2
    """
    import uvloop

    from appliance.logs_setup import log_to_stderr
    from appliance.orchestrator.host.limits import raise_file_limit
    from appliance.worker.runner import run

    raise_file_limit()
    settings = settings_from()
    log_to_stderr(settings.log_level)
    uvloop.run(run(settings, name))


@click.command()
def migrate() -> None:
    """Bring both databases to this version's schema and create the first project; safe to run again.

    \b
    Example:
      langfuse-local migrate
    """
    from appliance.data_dir.secrets import with_stored_salt
    from appliance.storage.setup import prepare

    asyncio.run(prepare(with_stored_salt(settings_from()), lambda step: click.echo(step, err=True)))
