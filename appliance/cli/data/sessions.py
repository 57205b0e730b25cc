"""`sessions`: the list of sessions."""

from __future__ import annotations

import click

from appliance.api_types.sessions import ApiSession
from appliance.cli.data.reading import Listing, Output, Source, limit_option, read_rows, reading
from appliance.cli.data.tables import Column, id_column, time_column
from appliance.cli.data.texts import preview

SESSIONS: Listing[ApiSession] = Listing(
    "/api/public/sessions",
    ApiSession,
    (
        time_column("Created", lambda row: row.created_at, rank=1),
        id_column("ID", lambda row: row.id),
        Column("Environment", lambda row: preview(row.environment), is_free=True, rank=2),
    ),
)


@click.command()
@click.option("--environment", multiple=True, help="Only sessions of this environment; may be repeated.")
@limit_option
@reading
async def sessions(source: Source, output: Output, environment: tuple[str, ...], limit: int) -> None:
    """List sessions, newest first.

    \b
      langfuse-local sessions --environment production
    """
    async with source.client() as client:
        rows = await read_rows(client, SESSIONS.path, limit, environment=list(environment) or None)
    output.rows(rows, SESSIONS)
