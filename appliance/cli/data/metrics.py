"""`metrics`: figures over a time range."""

from __future__ import annotations

import click

from appliance.cli.data.reading import Json, Output, Source, reading
from appliance.model.times import iso_text, now_us, parse_span


@click.command()
@click.option(
    "--view",
    type=click.Choice(["traces", "observations", "scores-numeric", "scores-categorical"]),
    default="observations",
    show_default=True,
)
@click.option("--measure", "measures", multiple=True, default=["count:count"], help="measure:aggregation; repeatable.")
@click.option("--by", "dimensions", multiple=True, help="Group by this field; repeatable.")
@click.option("--every", type=click.Choice(["auto", "minute", "hour", "day", "week", "month"]), help="Group by time.")
@click.option("--last", default="24h", show_default=True, help="How far back to look: 30m, 24h, 7d.")
@reading
async def metrics(
    source: Source,
    output: Output,
    view: str,
    measures: tuple[str, ...],
    dimensions: tuple[str, ...],
    every: str | None,
    last: str,
) -> None:
    """Count, sum and average over a time range.

    \b
      langfuse-local metrics --by providedModelName --measure totalCost:sum --measure latency:p95
      langfuse-local metrics --view traces --by name --every day --last 7d --json
    """
    end = now_us()
    query: Json = {
        "view": view,
        "metrics": [_measure(text) for text in measures],
        "dimensions": [{"field": name} for name in dimensions],
        "filters": [],
        "fromTimestamp": _beginning(last, end),
        "toTimestamp": iso_text(end),
    }
    if every:
        query["timeDimension"] = {"granularity": every}
    async with source.client() as client:
        rows = await client.metrics(query)
    output.rows_of_any_shape(rows)


def _measure(text: str) -> Json:
    measure, colon, aggregation = text.partition(":")
    if not colon:
        raise click.BadParameter(f"{text!r} is no measure:aggregation, such as latency:p95.", param_hint="--measure")
    return {"measure": measure, "aggregation": aggregation}


def _beginning(last: str, end: int) -> str:
    if not (span := parse_span(last)):
        raise click.BadParameter(f"{last!r} is no time span, such as 30m, 24h or 7d.", param_hint="--last")
    return iso_text(end - span)
