"""`prompts`: the list of prompts."""

from __future__ import annotations

import click

from appliance.api_types.prompts import ApiPromptSummary
from appliance.cli.data.reading import Listing, Output, Source, limit_option, read_rows, reading
from appliance.cli.data.tables import Column, time_column
from appliance.cli.data.texts import preview, words

PROMPTS: Listing[ApiPromptSummary] = Listing(
    "/api/public/v2/prompts",
    ApiPromptSummary,
    (
        Column("Name", lambda row: preview(row.name), style="bold", is_free=True),
        Column("Type", lambda row: preview(row.type), rank=2),
        Column("Versions", lambda row: words(row.versions), is_free=True),
        Column("Labels", lambda row: words(row.labels), is_free=True),
        Column("Tags", lambda row: words(row.tags), is_free=True, rank=3),
        time_column("Updated", lambda row: row.last_updated_at, rank=1),
    ),
)


@click.command()
@click.option("--name", help="Only the prompt of this name.")
@click.option("--label", help="Only prompts with a version of this label.")
@click.option("--tag", help="Only prompts with this tag.")
@limit_option
@reading
async def prompts(
    source: Source, output: Output, name: str | None, label: str | None, tag: str | None, limit: int
) -> None:
    """List prompts with their versions and labels.

    \b
      langfuse-local prompts --label production
    """
    async with source.client() as client:
        rows = await read_rows(client, PROMPTS.path, limit, name=name, label=label, tag=tag)
    output.rows(rows, PROMPTS)
