"""Commands that read data: the same as the TUI shows, as a table or as JSON for scripts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from appliance.cli import render
from appliance.cli.arrivals import PAGE_ROWS
from appliance.cli.media import media_of
from appliance.cli.output import json_text
from appliance.cli.reading import Json, Output, Source, conditions_of, filters_argument, reading
from appliance.cli.tables import console
from appliance.model.times import iso_text, now_us, parse_span

if TYPE_CHECKING:
    from appliance.client import Page

F = TypeVar("F", bound=Callable[..., Any])
_limit = click.option(
    "--limit", type=click.IntRange(min=0), default=20, show_default=True, help="Most rows to print; 0 prints all."
)


@click.command()
@filters_argument
@_limit
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
        rows = await _rows(lambda **paging: client.traces(filter=conditions or None, **paging), limit)
    output.rows(rows, render.TRACES)


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
        found = await client.trace(trace_id)
        is_drawn = not (output.as_json or output.as_jsonl)
        media = await media_of(client, found) if is_drawn else {}
    if not is_drawn:
        click.echo(json_text(found, indent=None if output.as_jsonl else 2))
    else:
        console().print(render.trace_tree(found, media))
        for line in render.media_lines(media):
            click.echo(line)


@click.command()
@click.option("--environment", multiple=True, help="Only sessions of this environment; may be repeated.")
@_limit
@reading
async def sessions(source: Source, output: Output, environment: tuple[str, ...], limit: int) -> None:
    """List sessions, newest first.

    \b
      langfuse-local sessions --environment production
    """
    async with source.client() as client:
        rows = await _rows(lambda **paging: client.sessions(environment=list(environment) or None, **paging), limit)
    output.rows(rows, render.SESSIONS)


@click.command()
@filters_argument
@click.option("--trace", "trace_id", help="Only observations of this trace.")
@_limit
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

    async def page(**paging: int) -> Page:
        return await client.observations(filter=conditions or None, traceId=trace_id, **paging)

    async with source.client() as client:
        rows = await _rows(page, limit)
    output.rows(rows, render.OBSERVATIONS)


@click.command()
@click.option("--name", help="Only scores of this name.")
@click.option("--trace", "trace_id", help="Only scores of this trace.")
@click.option("--source", "origin", type=click.Choice(["API", "EVAL", "ANNOTATION"]), help="Only from this source.")
@_limit
@reading
async def scores(
    source: Source, output: Output, name: str | None, trace_id: str | None, origin: str | None, limit: int
) -> None:
    """List scores, newest first.

    \b
      langfuse-local scores --name quality
    """

    async def page(**paging: int) -> Page:
        return await client.scores(name=name, traceId=trace_id, source=origin, **paging)

    async with source.client() as client:
        rows = await _rows(page, limit)
    output.rows(rows, render.SCORES)


@click.command()
@click.option("--name", help="Only the prompt of this name.")
@click.option("--label", help="Only prompts with a version of this label.")
@click.option("--tag", help="Only prompts with this tag.")
@_limit
@reading
async def prompts(
    source: Source, output: Output, name: str | None, label: str | None, tag: str | None, limit: int
) -> None:
    """List prompts with their versions and labels.

    \b
      langfuse-local prompts --label production
    """
    async with source.client() as client:
        rows = await _rows(lambda **paging: client.prompts(name=name, label=label, tag=tag, **paging), limit)
    output.rows(rows, render.PROMPTS)


@click.command()
@_limit
@reading
async def datasets(source: Source, output: Output, limit: int) -> None:
    """List datasets.

    \b
      langfuse-local datasets --json
    """
    async with source.client() as client:
        rows = await _rows(client.datasets, limit)
    output.rows(rows, render.DATASETS)


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
    output.rows(rows)


async def _rows(page_of: Callable[..., Awaitable[Page]], limit: int) -> list[Json]:
    """The first `limit` rows (0: all), page by page."""
    size = min(limit, PAGE_ROWS) or PAGE_ROWS
    rows: list[Json] = []
    number = 1
    while True:
        page = await page_of(page=number, limit=size)
        rows += page.data
        if (limit and len(rows) >= limit) or number >= page.meta.get("totalPages", 1):
            return rows[:limit] if limit else rows
        number += 1


def _of_observations(condition: Json) -> Json:
    """The query bar speaks of traces; the same question asked of observations."""
    columns = {"observationTypes": "type", "timestamp": "startTime"}
    changed = condition | {"column": columns.get(condition["column"], condition["column"])}
    if condition["type"] == "arrayOptions" and changed["column"] in ("type", "model"):
        changed["type"] = "stringOptions"
    return changed


def _measure(text: str) -> Json:
    measure, colon, aggregation = text.partition(":")
    if not colon:
        raise click.BadParameter(f"{text!r} is no measure:aggregation, such as latency:p95.", param_hint="--measure")
    return {"measure": measure, "aggregation": aggregation}


def _beginning(last: str, end: int) -> str:
    if not (span := parse_span(last)):
        raise click.BadParameter(f"{last!r} is no time span, such as 30m, 24h or 7d.", param_hint="--last")
    return iso_text(end - span)
