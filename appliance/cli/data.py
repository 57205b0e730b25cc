"""Commands that read data: the same as the TUI shows, as a table or as JSON for scripts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from appliance.cli import render
from appliance.cli.arrivals import PAGE_ROWS, arrivals
from appliance.cli.interrupts import run_until_signal
from appliance.cli.media import media_of
from appliance.cli.options import attached, ca_option, data_dir_option, settings_from, url_option
from appliance.cli.output import json_text
from appliance.cli.tables import Column, console, print_table
from appliance.errors import NotRunning

if TYPE_CHECKING:
    from appliance.client import LangfuseClient, Page

Json = dict[str, Any]
F = TypeVar("F", bound=Callable[..., Any])
SEEN_TRACES = 10_000
"""How many printed traces `tail` remembers, so that an update does not print them again."""


@dataclass(frozen=True, slots=True)
class Source:
    """Which server to read from: an address with keys, or the appliance of a data directory (its keys, or others)."""

    url: str | None
    public_key: str | None
    secret_key: str | None
    ca_file: Path | None
    data_dir: Path | None

    @asynccontextmanager
    async def client(self) -> AsyncIterator[LangfuseClient]:
        """A client of that server; raises NotRunning when no appliance runs and no address was given."""
        from appliance.client import LangfuseClient

        url, public_key, secret_key, public_url = self._address()
        client = LangfuseClient(url, public_key, secret_key, ca_file=self.ca_file, public_url=public_url)
        try:
            yield client
        finally:
            await client.close()

    def _address(self) -> tuple[str, str, str, str]:
        """Where to ask, both keys, and the address that links lead to."""
        if self.url and not (self.public_key and self.secret_key):
            raise click.UsageError("--url needs --public-key and --secret-key.")
        if bool(self.public_key) != bool(self.secret_key):
            raise click.UsageError("--public-key and --secret-key go together.")
        if self.url and self.public_key and self.secret_key:
            return self.url, self.public_key, self.secret_key, self.url
        server = attached()
        url, public_key, secret_key, public_url = (*server, server[0]) if server else _local_address(self.data_dir)
        return url, self.public_key or public_key, self.secret_key or secret_key, public_url


@dataclass(frozen=True, slots=True)
class Output:
    """How to print what was read."""

    as_json: bool
    as_jsonl: bool

    def rows(self, rows: Sequence[Json], columns: Sequence[Column] | None = None) -> None:
        """Prints a list."""
        if self.as_jsonl:
            for row in rows:
                click.echo(json_text(row))
        elif self.as_json:
            click.echo(json_text(rows, indent=2))
        elif rows:
            print_table(rows, columns or render.columns_of(rows))
        else:
            click.echo("Nothing found.", err=True)


def _local_address(data_dir: Path | None) -> tuple[str, str, str, str]:
    """The same of the appliance that runs on a data directory; raises NotRunning, ConfigError."""
    from appliance.orchestrator.secrets import read_secrets
    from appliance.orchestrator.state import read_state
    from appliance.paths import DataDir

    place = DataDir(settings_from(data_dir=data_dir).data_dir)
    state, secrets = read_state(place), read_secrets(place)
    if state.url is None or secrets is None:
        raise NotRunning(f"Nothing runs on {place.root}.", hint="Start it: langfuse-local up --detach")
    return state.local_url or state.url, secrets.public_key, secrets.secret_key, state.url


def _reading(function: F) -> F:
    """Adds the options that all reading commands share, handed over as `source` and `output`."""
    import functools

    @functools.wraps(function)
    def command(**options: Any) -> None:
        source = Source(*(options.pop(name) for name in ("url", "public_key", "secret_key", "ca_file", "data_dir")))
        output = Output(options.pop("as_json"), options.pop("as_jsonl"))
        run_until_signal(function(source=source, output=output, **options))

    chosen: Callable[..., Any] = command
    for option in (
        data_dir_option,
        click.option("--secret-key", help="Its secret key."),
        click.option("--public-key", help="Public key of another project here, or of one on --url."),
        ca_option,
        url_option("Read from this Langfuse server instead of the local appliance."),
        click.option("--jsonl", "as_jsonl", is_flag=True, help="Print one JSON object per line."),
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
    ):
        chosen = option(chosen)
    return chosen  # type: ignore[return-value]


_limit = click.option(
    "--limit", type=click.IntRange(min=0), default=20, show_default=True, help="Most rows to print; 0 prints all."
)
_filters = click.argument("filters", nargs=-1)


@click.command()
@_filters
@_limit
@_reading
async def traces(source: Source, output: Output, filters: tuple[str, ...], limit: int) -> None:
    """List traces, newest first.

    FILTERS are those of the TUI's query bar; quote them for the shell:

    \b
      langfuse-local traces
      langfuse-local traces 'name:rag-answer cost>0.01 latency>2s tag:prod' --jsonl
      langfuse-local traces level:ERROR user:alice since:2026-01-31 --limit 0
    """
    conditions = _conditions(filters)
    async with source.client() as client:
        rows = await _rows(lambda **paging: client.traces(filter=conditions or None, **paging), limit)
    output.rows(rows, render.TRACES)


@click.command()
@click.argument("trace_id", metavar="ID")
@_reading
async def trace(source: Source, output: Output, trace_id: str) -> None:
    """Show one trace as a tree with its scores, or all of it as JSON.

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
@_reading
async def sessions(source: Source, output: Output, environment: tuple[str, ...], limit: int) -> None:
    """List sessions, newest first.

    \b
      langfuse-local sessions --environment production
    """
    async with source.client() as client:
        rows = await _rows(lambda **paging: client.sessions(environment=list(environment) or None, **paging), limit)
    output.rows(rows, render.SESSIONS)


@click.command()
@_filters
@click.option("--trace", "trace_id", help="Only observations of this trace.")
@_limit
@_reading
async def observations(
    source: Source, output: Output, filters: tuple[str, ...], trace_id: str | None, limit: int
) -> None:
    """List observations, newest first.

    FILTERS are those of the TUI's query bar; quote them for the shell:

    \b
      langfuse-local observations 'type:GENERATION model:gpt-4o latency>2s'
      langfuse-local observations level:ERROR --json
    """
    conditions = [_of_observations(condition) for condition in _conditions(filters)]

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
@_reading
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
@_reading
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
@_reading
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
@_reading
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
    end = datetime.now(UTC)
    query: Json = {
        "view": view,
        "metrics": [_measure(text) for text in measures],
        "dimensions": [{"field": name} for name in dimensions],
        "filters": [],
        "fromTimestamp": (end - _span(last)).isoformat(),
        "toTimestamp": end.isoformat(),
    }
    if every:
        query["timeDimension"] = {"granularity": every}
    async with source.client() as client:
        rows = await client.metrics(query)
    output.rows(rows)


@click.command()
@_filters
@_reading
async def tail(source: Source, output: Output, filters: tuple[str, ...]) -> None:
    """Print traces as they arrive, until Ctrl-C.

    FILTERS are those of the TUI's query bar; quote them for the shell:

    \b
      langfuse-local tail
      langfuse-local tail level:ERROR --jsonl
    """
    conditions = _conditions(filters)
    seen: dict[str, None] = {}
    async with source.client() as client, aclosing(arrivals(client)) as messages:
        async for ids in messages:
            fresh = [trace_id for trace_id in ids if trace_id not in seen]
            for row in await _traces_of(client, fresh, conditions):
                seen[row["id"]] = None
                _print_arrival(row, output)
            while len(seen) > SEEN_TRACES:
                del seen[next(iter(seen))]


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


def _conditions(filters: Sequence[str]) -> list[Json]:
    from appliance.model.query_bar import parse_query_bar

    return [condition.as_json() for condition in parse_query_bar(" ".join(filters))]


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


def _span(text: str) -> timedelta:
    units = {"m": "minutes", "h": "hours", "d": "days"}
    if not text[:-1].isdecimal() or text[-1:] not in units or not int(text[:-1]):
        raise click.BadParameter(f"{text!r} is no time span, such as 30m, 24h or 7d.", param_hint="--last")
    return timedelta(**{units[text[-1]]: int(text[:-1])})


async def _traces_of(client: LangfuseClient, ids: Sequence[str], conditions: list[Json]) -> list[Json]:
    """Those of the traces that meet the conditions, oldest first."""
    found: list[Json] = []
    for start in range(0, len(ids), PAGE_ROWS):
        chosen = {
            "type": "stringOptions",
            "column": "id",
            "operator": "any of",
            "value": list(ids[start : start + PAGE_ROWS]),
        }
        page = await client.traces(filter=[chosen, *conditions], limit=PAGE_ROWS)
        found += page.data
    return sorted(found, key=lambda row: row["timestamp"])


def _print_arrival(row: Json, output: Output) -> None:
    if output.as_json or output.as_jsonl:
        click.echo(json_text(row))
        return
    texts = [column.text(row) for column in render.TRACES if column.title not in ("Input", "Tags")]
    click.echo("  ".join(text for text in texts if text))
