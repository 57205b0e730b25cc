"""`scores`: the list of scores."""

from __future__ import annotations

import click

from appliance.api_types.scores import ApiScore
from appliance.cli.data.reading import Listing, Output, Source, limit_option, read_rows, reading
from appliance.cli.data.tables import Column, id_column, time_column
from appliance.cli.data.texts import preview, score_value

SCORES: Listing[ApiScore] = Listing(
    "/api/public/v2/scores",
    ApiScore,
    (
        time_column("Time", lambda row: row.timestamp, rank=1),
        Column("Name", lambda row: preview(row.name), style="bold", is_free=True),
        Column("Value", score_value, is_number=True, is_free=True),
        Column("Source", lambda row: preview(row.source), rank=4),
        Column("Comment", lambda row: preview(row.comment), style="dim", is_free=True, rank=2),
        id_column("Trace", lambda row: row.trace_id, rank=3),
        id_column("Observation", lambda row: row.observation_id, rank=5),
    ),
)


@click.command()
@click.option("--name", help="Only scores of this name.")
@click.option("--trace", "trace_id", help="Only scores of this trace.")
@click.option("--source", "origin", type=click.Choice(["API", "EVAL", "ANNOTATION"]), help="Only from this source.")
@limit_option
@reading
async def scores(
    source: Source, output: Output, name: str | None, trace_id: str | None, origin: str | None, limit: int
) -> None:
    """List scores, newest first.

    \b
      langfuse-local scores --name quality
    """
    async with source.client() as client:
        rows = await read_rows(client, SCORES.path, limit, name=name, traceId=trace_id, source=origin)
    output.rows(rows, SCORES)
