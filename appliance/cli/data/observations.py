"""`observations`: the list of observations."""

from __future__ import annotations

import click

from appliance.api_types.observations import ApiObservation
from appliance.cli.data.reading import (
    Json,
    Listing,
    Output,
    Source,
    conditions_of,
    filters_argument,
    limit_option,
    read_rows,
    reading,
)
from appliance.cli.data.tables import Column, id_column, time_column
from appliance.cli.data.texts import between, preview, tokens, usd

OBSERVATIONS: Listing[ApiObservation] = Listing(
    "/api/public/observations",
    ApiObservation,
    (
        time_column("Time", lambda row: row.start_time, rank=1),
        Column("Type", lambda row: preview(row.type), rank=4),
        Column("Name", lambda row: preview(row.name), style="bold", is_free=True),
        Column("Model", lambda row: preview(row.model), is_free=True, rank=3),
        Column("Latency", lambda row: between(row.start_time, row.end_time), is_number=True, rank=2),
        Column("Tokens", tokens, is_number=True, rank=6),
        Column("Cost", lambda row: usd(row.calculated_total_cost), is_number=True, rank=5),
        Column("Level", lambda row: preview(row.level), rank=7),
        id_column("ID", lambda row: row.id),
        id_column("Trace", lambda row: row.trace_id, rank=8),
    ),
)


@click.command()
@filters_argument
@click.option("--trace", "trace_id", help="Only observations of this trace.")
@limit_option
@reading
async def observations(
    source: Source, output: Output, filters: tuple[str, ...], trace_id: str | None, limit: int
) -> None:
    """List observations, newest first.

    FILTERS are those of the TUI's query bar; quote them for the shell:

    \b
      langfuse-local observations 'type:GENERATION model:gpt-4o latency>2s'
      langfuse-local observations level:ERROR --json
    """
    conditions = [_of_observations(condition) for condition in conditions_of(filters)]
    async with source.client() as client:
        rows = await read_rows(client, OBSERVATIONS.path, limit, filter=conditions or None, traceId=trace_id)
    output.rows(rows, OBSERVATIONS)


def _of_observations(condition: Json) -> Json:
    """A condition of the query bar, which is about traces, as one about observations."""
    columns = {"observationTypes": "type", "timestamp": "startTime"}
    changed = condition | {"column": columns.get(condition["column"], condition["column"])}
    if condition["type"] == "arrayOptions" and changed["column"] in ("type", "model"):
        changed["type"] = "stringOptions"
    return changed
