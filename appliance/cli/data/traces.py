"""`traces`: the list of traces."""

from __future__ import annotations

import click

from appliance.api_types.traces import ApiTraceItem
from appliance.cli.data.reading import (
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
from appliance.cli.data.texts import duration, last_message, preview, usd, words

COLUMNS: tuple[Column[ApiTraceItem], ...] = (
    time_column("Time", lambda row: row.timestamp, rank=1),
    Column("Name", lambda row: preview(row.name), style="bold", is_free=True),
    Column("Input", lambda row: last_message(row.input), style="dim", is_free=True, least=20, rank=5),
    Column("User", lambda row: preview(row.user_id), is_free=True, rank=4),
    Column("Latency", lambda row: duration(row.latency), is_number=True, rank=2),
    Column("Cost", lambda row: usd(row.total_cost), is_number=True, rank=3),
    Column("Obs", lambda row: str(len(row.observations)), is_number=True, rank=6),
    Column("Tags", lambda row: words(row.tags), is_free=True, rank=7),
    id_column("ID", lambda row: row.id),
)
TRACES = Listing("/api/public/traces", ApiTraceItem, COLUMNS)


@click.command()
@filters_argument
@limit_option
@reading
async def traces(source: Source, output: Output, filters: tuple[str, ...], limit: int) -> None:
    """List traces, newest first.

    FILTERS are those of the TUI's query bar; quote them for the shell:

    \b
      langfuse-local traces
      langfuse-local traces 'name:rag-answer cost>0.01 latency>2s tag:prod' --jsonl
      langfuse-local traces level:ERROR user:alice since:24h --limit 0
      langfuse-local traces refund since:2026-01-31

    Words without a field are searched, whole words only.
    """
    conditions = conditions_of(filters)
    async with source.client() as client:
        rows = await read_rows(client, TRACES.path, limit, filter=conditions or None)
    output.rows(rows, TRACES)
