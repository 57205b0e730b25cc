"""`datasets`: the list of datasets."""

from __future__ import annotations

import click

from appliance.api_types.datasets import ApiDataset
from appliance.cli.data.reading import Listing, Output, Source, limit_option, read_rows, reading
from appliance.cli.data.tables import Column, id_column, time_column
from appliance.cli.data.texts import preview

DATASETS: Listing[ApiDataset] = Listing(
    "/api/public/v2/datasets",
    ApiDataset,
    (
        Column("Name", lambda row: preview(row.name), style="bold", is_free=True),
        Column("Description", lambda row: preview(row.description), style="dim", is_free=True, rank=2),
        time_column("Updated", lambda row: row.updated_at, rank=1),
        id_column("ID", lambda row: row.id),
    ),
)


@click.command()
@limit_option
@reading
async def datasets(source: Source, output: Output, limit: int) -> None:
    """List datasets.

    \b
      langfuse-local datasets --json
    """
    async with source.client() as client:
        rows = await read_rows(client, DATASETS.path, limit)
    output.rows(rows, DATASETS)
