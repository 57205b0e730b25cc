"""`trace`: one trace with all that belongs to it."""

from __future__ import annotations

import click

from appliance.cli.data.media import media_of
from appliance.cli.data.reading import Json, Output, Source, reading
from appliance.cli.data.tables import console
from appliance.cli.data.trace_tree import media_lines, trace_tree
from appliance.client import segment


@click.command()
@click.argument("trace_id", metavar="ID")
@reading
async def trace(source: Source, output: Output, trace_id: str) -> None:
    """Show one trace as a tree with its messages and scores, or all of it as JSON.

    \b
      langfuse-local trace 0af7651916cd43dd8448eb211c80319c
      langfuse-local trace 0af7651916cd43dd8448eb211c80319c --json | jq .totalCost
    """
    if not trace_id.strip():
        raise click.UsageError("The ID is empty.")
    async with source.client() as client:
        if output.is_json:
            output.object(await client.get(f"/api/public/traces/{segment(trace_id)}", into=Json))
            return
        shown = await client.trace(trace_id)
        media = await media_of(client, shown)
    console().print(trace_tree(shown, media))
    for line in media_lines(media):
        click.echo(line)
