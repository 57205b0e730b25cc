"""`delete`: traces, sessions, scores, dataset runs, or a whole project."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import click

from appliance.cli.data.reading import Json, Output, Source, conditions_of, filters_argument, reading
from appliance.cli.output import json_text
from appliance.client import LangfuseClient, segment
from appliance.errors import ConfigError, RemoteError

_yes = click.option("--yes", "-y", is_flag=True, help="Do not ask before deleting.")
_ids = click.argument("ids", nargs=-1, required=True, metavar="ID...")
_AT_ONCE = 1000
"""Ids in one request."""


@click.group()
def delete() -> None:
    """Delete for good what a project holds: gone from every read at once, from the disk by a job (see `jobs`).

    \b
    Example:
      langfuse-local delete trace 0af7651916cd43dd8448eb211c80319c
      langfuse-local delete traces environment:staging before:2026-01-31
    """


@delete.command()
@_ids
@_yes
@reading
async def trace(source: Source, output: Output, ids: tuple[str, ...], yes: bool) -> None:
    """Delete traces by their ids, with their observations, scores and files.

    \b
    Example:
      langfuse-local delete trace 0af7651916cd43dd8448eb211c80319c
    """
    _confirm(f"Delete {_count(len(ids), 'trace')}?", yes)
    async with source.client() as client:
        known, unknown = await _divided(client, "/api/public/traces", ids)
        for start in range(0, len(known), _AT_ONCE):
            await client.send("DELETE", "/api/public/traces", body={"traceIds": known[start : start + _AT_ONCE]})
    _report({"traces": len(known)}, output)
    _refuse(unknown, "trace")


@delete.command()
@filters_argument
@_yes
@reading
async def traces(source: Source, output: Output, filters: tuple[str, ...], yes: bool) -> None:
    """Delete all traces that fulfil FILTERS, which are those of `traces`; asks first, with the number of traces.

    \b
    Example:
      langfuse-local delete traces user:load-test tag:throw-away
    """
    conditions = conditions_of(filters)
    if not conditions:
        raise click.UsageError("FILTERS are missing; without any, all traces would be deleted.")
    async with source.client() as client:
        if not yes:
            count = (await client.traces(filter=conditions, limit=1)).meta.total_items or 0
            if not count:
                _report({"traces": 0}, output)
                return
            _confirm(f"Delete {_count(count, 'trace')}?", yes)
        counts = await client.send("DELETE", "/api/local/traces", {"filter": conditions})
    _report(counts, output)


@delete.command()
@click.argument("id")
@_yes
@reading
async def session(source: Source, output: Output, id: str, yes: bool) -> None:
    """Delete a session with all its traces and scores.

    \b
    Example:
      langfuse-local delete session chat-42
    """
    _confirm(f"Delete session {id} with all its traces?", yes)
    async with source.client() as client:
        counts = await client.send("DELETE", f"/api/local/sessions/{segment(id)}")
    _report(counts, output)


@delete.command()
@_ids
@_yes
@reading
async def score(source: Source, output: Output, ids: tuple[str, ...], yes: bool) -> None:
    """Delete scores by their ids.

    \b
    Example:
      langfuse-local delete score 7b0a1f6e
    """
    _confirm(f"Delete {_count(len(ids), 'score')}?", yes)
    async with source.client() as client:
        known, unknown = await _divided(client, "/api/public/v2/scores", ids)
        for id in known:
            await client.send("DELETE", f"/api/public/scores/{segment(id)}")
    _report({"scores": len(known)}, output)
    _refuse(unknown, "score")


@delete.command()
@click.argument("dataset")
@click.argument("run")
@_yes
@reading
async def dataset_run(source: Source, output: Output, dataset: str, run: str, yes: bool) -> None:
    """Delete a run of a dataset, by their names, with its items and its own scores; its traces stay.

    \b
    Example:
      langfuse-local delete dataset-run capitals "gpt-5 2026-01-31"
    """
    _confirm(f"Delete run {run} of dataset {dataset}?", yes)
    async with source.client() as client:
        await client.send("DELETE", f"/api/public/datasets/{segment(dataset)}/runs/{segment(run)}")
    _report({"dataset_runs": 1}, output)


@delete.command()
@click.argument("id")
@_yes
@reading
async def project(source: Source, output: Output, id: str, yes: bool) -> None:
    """Delete the project of the keys with everything in it; ID must be its id, to confirm which project it is.

    Its keys stop working. A later start makes a new first project when none is left.

    \b
    Example:
      langfuse-local delete project local-project
    """
    async with source.client() as client:
        [own] = [project.id for project in await client.projects()]
        if id != own:
            raise ConfigError(
                f"These keys belong to project {own}, not to {id}.", hint="Give --public-key and --secret-key."
            )
        _confirm(f"Delete project {id} with all its traces, prompts, datasets, models and keys?", yes)
        await client.send("DELETE", "/api/local/project", {"confirm": id})
    _report({"projects": 1}, output)


async def _divided(client: LangfuseClient, path: str, ids: Sequence[str]) -> tuple[list[str], list[str]]:
    """The ids that the server knows at `path`, and the others: its answer to a deletion does not tell them apart."""

    async def exists(id: str) -> bool:
        try:
            await client.get(f"{path}/{segment(id)}", {"fields": "core"}, into=Json)  # traces may be large
        except RemoteError as error:
            if error.status == 404:
                return False
            raise
        return True

    unique = list(dict.fromkeys(ids))
    found = await asyncio.gather(*map(exists, unique))
    pairs = list(zip(unique, found, strict=True))
    return [id for id, is_known in pairs if is_known], [id for id, is_known in pairs if not is_known]


def _refuse(unknown: Sequence[str], noun: str) -> None:
    if unknown:
        raise RemoteError(f"There is no {noun} {', '.join(unknown)}.", hint="Ids count whole, as lists print them.")


def _confirm(question: str, yes: bool) -> None:
    if not yes:
        click.confirm(question, abort=True, err=True)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _report(counts: Json, output: Output) -> None:
    """Print what was deleted, such as `{"traces": 3}`."""
    if output.is_json:
        click.echo(json_text(counts))
    else:
        click.echo(
            f"Deleted {', '.join(_count(number, noun[:-1].replace('_', ' ')) for noun, number in counts.items())}.",
            err=True,
        )
