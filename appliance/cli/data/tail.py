"""Follow traces as they arrive."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING

import click

from appliance.api_types.lenient import convert
from appliance.api_types.pages import ApiPage
from appliance.api_types.traces import ApiTraceItem
from appliance.cli.data.arrivals import Connection, arrivals
from appliance.cli.data.reading import PAGE_ROWS, Json, Output, Source, conditions_of, filters_argument, reading
from appliance.cli.data.traces import COLUMNS, TRACES
from appliance.cli.output import json_text

if TYPE_CHECKING:
    from appliance.client import LangfuseClient, Param

SEEN_TRACES = 10_000
"""How many printed traces it remembers, so that an update does not print them again."""


@click.command()
@filters_argument
@reading
async def tail(source: Source, output: Output, filters: tuple[str, ...]) -> None:
    """Print traces as they arrive, until Ctrl-C.

    When the server goes away it says so, and goes on where it was as soon as the server is back.

    FILTERS are those of the TUI's query bar; quote them for the shell:

    \b
      langfuse-local tail
      langfuse-local tail level:ERROR --jsonl
    """
    conditions = conditions_of(filters)
    connection = Connection(lambda text: click.echo(text, err=True))
    seen: dict[str, None] = {}
    async with source.client() as client, aclosing(arrivals(client, connection)) as messages:
        async for ids in messages:
            fresh = [trace_id for trace_id in ids if trace_id not in seen]
            for row in await connection.request(partial(_traces_of, client, fresh, conditions)):
                seen[row["id"]] = None
                _print_arrival(row, output)
            while len(seen) > SEEN_TRACES:
                del seen[next(iter(seen))]


async def _traces_of(client: LangfuseClient, ids: Sequence[str], conditions: list[Json]) -> list[Json]:
    """Those of the traces that meet the conditions, oldest first."""
    rows: list[Json] = []
    for start in range(0, len(ids), PAGE_ROWS):
        chosen = {
            "type": "stringOptions",
            "column": "id",
            "operator": "any of",
            "value": list(ids[start : start + PAGE_ROWS]),
        }
        params: dict[str, Param] = {"filter": [chosen, *conditions], "limit": PAGE_ROWS}
        rows += (await client.get(TRACES.path, params, into=ApiPage[Json])).data
    return sorted(rows, key=lambda row: row["timestamp"])


def _print_arrival(row: Json, output: Output) -> None:
    if output.is_json:
        click.echo(json_text(row))
        return
    trace = convert(row, ApiTraceItem)
    texts = [column.text(trace) for column in COLUMNS if column.title not in ("Input", "Tags")]
    click.echo("  ".join(text for text in texts if text))
