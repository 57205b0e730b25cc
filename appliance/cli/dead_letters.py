"""`dead-letters`: list, show, replay or drop requests that could not be processed.

It talks to Redis, not to web: dead letters are for the operator of the appliance, not for a project's key, and the
command must work while web is down, in a container next to external stores and on this machine.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from appliance.cli.data.tables import Column, print_table, time_column
from appliance.cli.data.texts import preview
from appliance.cli.options import ask_before_deleting, data_dir_option, settings_from
from appliance.cli.output import json_text
from appliance.errors import NotFound, NotRunning

if TYPE_CHECKING:
    from appliance.storage.redis.dead_letters import DeadLetter, DeadLetters

_COLUMNS: tuple[Column[dict[str, Any]], ...] = (
    Column("ID", lambda row: row["id"], is_whole=True),
    time_column("DIED", lambda row: row["diedAt"], rank=1),
    Column("PROJECT", lambda row: preview(row["projectId"]), is_free=True, rank=4),
    Column("KIND", lambda row: preview(row["kind"]), rank=2),
    Column("ITEMS", lambda row: f"{row['items']:,}", is_number=True, rank=3),
    Column("BYTES", lambda row: f"{row['bytes']:,}", is_number=True, rank=3),
    Column("ERROR", lambda row: preview(row["error"]), is_free=True),
)

_project_option = click.option("--project", metavar="ID", help="Only those of this project.")
_all_option = click.option("--all", "wants_all", is_flag=True, help="All of them, or of --project.")
_ids = click.argument("ids", nargs=-1, metavar="[ID]...")


@click.group(name="dead-letters")
def dead_letters() -> None:
    """Look at requests that were accepted but could not be processed; replay or drop them.

    \b
    Example:
      langfuse-local dead-letters list
      langfuse-local dead-letters show 1763000000000-0
      langfuse-local dead-letters replay --all
    """


@dead_letters.command(name="list")
@_project_option
@click.option("--limit", type=click.IntRange(min=0), default=20, show_default=True, help="Most rows; 0 prints all.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--jsonl", "as_jsonl", is_flag=True, help="Print one JSON object per line.")
@data_dir_option
def list_letters(project: str | None, limit: int, as_json: bool, as_jsonl: bool, data_dir: Path | None) -> None:
    """List dead letters, oldest first.

    \b
    Example:
      langfuse-local dead-letters list --project local-project --jsonl
    """
    rows = asyncio.run(_rows(data_dir, project, limit))
    if as_jsonl:
        for row in rows:
            click.echo(json_text(row))
    elif as_json:
        click.echo(json_text(rows, indent=2))
    elif rows:
        print_table(rows, _COLUMNS)
    else:
        click.echo("There are no dead letters.", err=True)


@dead_letters.command()
@click.argument("id")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@data_dir_option
def show(id: str, as_json: bool, data_dir: Path | None) -> None:
    """Show one dead letter with its payload: as JSON where it can be read, else its first bytes.

    \b
    Example:
      langfuse-local dead-letters show 1763000000000-0
    """
    row = asyncio.run(_letter_with_payload(data_dir, id))
    if as_json:
        click.echo(json_text(row, indent=2))
        return
    payload = row.pop("payload")
    for name, value in row.items():
        click.echo(f"{name:<12}{preview(value)}")
    click.echo("")
    click.echo(payload if isinstance(payload, str) else json_text(payload, indent=2))


@dead_letters.command()
@_ids
@_all_option
@_project_option
@data_dir_option
def replay(ids: tuple[str, ...], wants_all: bool, project: str | None, data_dir: Path | None) -> None:
    """Put dead letters back into the queue, once the cause of their failure is fixed.

    \b
    Example:
      langfuse-local dead-letters replay --all
    """
    _require_choice(ids, wants_all, project)
    existing, missing = asyncio.run(_select(data_dir, ids, project))
    done = asyncio.run(_apply(data_dir, existing, lambda letters: letters.replay))
    _print_result(done, f"Put {done} back into the queue", missing)


@dead_letters.command()
@_ids
@_all_option
@_project_option
@click.option("--yes", "-y", is_flag=True, help="Do not ask before deleting.")
@data_dir_option
def drop(ids: tuple[str, ...], wants_all: bool, project: str | None, yes: bool, data_dir: Path | None) -> None:
    """Delete dead letters for good.

    \b
    Example:
      langfuse-local dead-letters drop 1763000000000-0 --yes
    """
    _require_choice(ids, wants_all, project)
    existing, missing = asyncio.run(_select(data_dir, ids, project))
    if existing and not yes:
        letters = "1 dead letter" if len(existing) == 1 else f"{len(existing):,} dead letters"
        ask_before_deleting(f"Delete {letters}? The contents are lost.")
    done = asyncio.run(_apply(data_dir, existing, lambda letters: letters.drop))
    _print_result(done, f"Deleted {done}", missing)


def _require_choice(ids: tuple[str, ...], wants_all: bool, project: str | None) -> None:
    if bool(ids) == wants_all:
        raise click.UsageError("Name the letters by their ids, or use --all.")
    if ids and project:
        raise click.UsageError("--project goes with --all.")


def _print_result(count: int, done: str, missing: list[str]) -> None:
    if count or not missing:
        click.echo(f"{done}.", err=True)
    if missing:
        click.echo(f"Error: There is no dead letter {', '.join(missing)}.", err=True)
        sys.exit(1)


@asynccontextmanager
async def _open(data_dir: Path | None) -> AsyncIterator[DeadLetters]:
    from appliance.storage.redis.client import connect
    from appliance.storage.redis.dead_letters import DeadLetters

    redis = connect(_redis_settings(data_dir))
    try:
        yield DeadLetters(redis)
    finally:
        await redis.aclose()


def _redis_settings(data_dir: Path | None) -> Any:
    """The Redis that runs for the data directory, else the one of the environment; raises NotRunning."""
    from appliance.config import RedisSettings
    from appliance.data_dir.secrets import read_secrets
    from appliance.data_dir.state import read_state
    from appliance.paths import DataDir

    settings = settings_from(data_dir=data_dir)
    layout = DataDir(settings.data_dir)
    state, secrets = read_state(layout), read_secrets(layout)
    is_ours = state.url is not None and state.runtime != "external" and secrets is not None
    if is_ours and secrets is not None and "redis" in state.sockets:
        socket = quote(state.sockets["redis"])
        return RedisSettings(connection_string=f"unix://:{secrets.redis_password}@{socket}?db=0")
    if is_ours and secrets is not None and "redis" in state.ports:
        url = f"redis://:{secrets.redis_password}@127.0.0.1:{state.ports['redis']}/0"
        return RedisSettings(connection_string=url)
    if settings.redis.url:
        return settings.redis
    raise NotRunning(f"Nothing runs on {layout.root}.", hint="Start it: langfuse-local up --detach")


async def _rows(data_dir: Path | None, project: str | None, limit: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    async with _open(data_dir) as letters:
        async for letter in letters.all(project):
            rows.append(_row(letter))
            if len(rows) == limit:
                break
    return rows


async def _letter_with_payload(data_dir: Path | None, id: str) -> dict[str, Any]:
    from appliance.ingestion.dead_letter_text import dead_letter_text

    async with _open(data_dir) as letters:
        letter = await letters.get(id) if _is_id(id) else None
    if letter is None:
        raise NotFound(f"There is no dead letter {id}.")
    return _row(letter) | {"payload": dead_letter_text(letter.entry)}


async def _select(data_dir: Path | None, ids: tuple[str, ...], project: str | None) -> tuple[list[str], list[str]]:
    """The ids of the selected letters, all of them without `ids`, and the `ids` that do not exist.

    Listed before the first is replayed, so that a letter which fails again meanwhile is not replayed twice.
    """
    async with _open(data_dir) as letters:
        if not ids:
            return [letter.id async for letter in letters.all(project)], []
        existing = [id for id in ids if _is_id(id) and await letters.get(id) is not None]
        return existing, [id for id in ids if id not in existing]


async def _apply(data_dir: Path | None, ids: list[str], how: Callable[[DeadLetters], Callable[[str], Any]]) -> int:
    """Replays or drops letters; returns how many still existed."""
    async with _open(data_dir) as letters:
        return sum([bool(await how(letters)(id)) for id in ids])


def _is_id(text: str) -> bool:
    first, _, second = text.partition("-")
    return first.isdigit() and second.isdigit()


def _row(letter: DeadLetter) -> dict[str, Any]:
    entry = letter.entry
    return {
        "id": letter.id,
        "projectId": entry.project_id,
        "kind": entry.kind,
        "items": entry.items,
        "bytes": letter.body_bytes,
        "acceptedAt": _iso(entry.accepted_at),
        "diedAt": _iso(letter.died_at),
        "attempts": letter.attempts,
        "error": letter.error,
    }


def _iso(micros: int) -> str:
    return datetime.fromtimestamp(micros / 1e6, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
