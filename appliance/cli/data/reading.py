"""What all commands that read data share: which server, how to print, and the filters."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

import click
import msgspec

from appliance.api_types.lenient import convert
from appliance.api_types.pages import ApiPage
from appliance.cli.data.tables import Column, columns_of, print_table
from appliance.cli.interrupts import run_until_signal
from appliance.cli.options import attached, ca_option, data_dir_option, settings_from, url_option
from appliance.cli.output import json_text
from appliance.errors import RemoteError

if TYPE_CHECKING:
    from appliance.client import LangfuseClient, Param

Json = dict[str, Any]
F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")
PAGE_ROWS: Final = 100
"""Rows of one request; a page of more is refused."""

filters_argument = click.argument("filters", nargs=-1)
limit_option = click.option(
    "--limit", type=click.IntRange(min=0), default=20, show_default=True, help="Most rows to print; 0 prints all."
)


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """A list of the API: where it is, what its rows are, and how a table shows them."""

    path: str
    row: type[T]
    columns: Sequence[Column[T]]


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
    """How to print what the server sent."""

    as_json: bool
    as_jsonl: bool

    @property
    def is_json(self) -> bool:
        """Whether scripts read it: then everything is printed as the server sent it."""
        return self.as_json or self.as_jsonl

    def rows(self, rows: Sequence[Json], listing: Listing[Any]) -> None:
        """Print the rows of a list; raises RemoteError when they cannot be shown as a table."""
        if self.is_json or not rows:
            self._json(rows)
            return
        try:
            typed = [convert(row, listing.row) for row in rows]
        except msgspec.ValidationError as error:
            raise RemoteError(f"The server sent unexpected rows ({error}).", hint="--json prints them.") from error
        print_table(typed, listing.columns)

    def rows_of_any_shape(self, rows: Sequence[Json]) -> None:
        """Print rows with a column for each of their keys."""
        if self.is_json or not rows:
            self._json(rows)
        else:
            print_table(rows, columns_of(rows))

    def object(self, value: Json) -> None:
        """Print one object as JSON."""
        click.echo(json_text(value, indent=None if self.as_jsonl else 2))

    def _json(self, rows: Sequence[Json]) -> None:
        if self.as_jsonl:
            for row in rows:
                click.echo(json_text(row))
        elif self.as_json:
            click.echo(json_text(rows, indent=2))
        elif not rows:
            click.echo("Nothing found.", err=True)


def _local_address(data_dir: Path | None) -> tuple[str, str, str, str]:
    """The same of the appliance that runs on a data directory; raises NotRunning, ConfigError."""
    from appliance.data_dir.local_server import find_local_server
    from appliance.paths import DataDir

    server = find_local_server(DataDir(settings_from(data_dir=data_dir).data_dir))
    return server.local_url, server.keys.public_key, server.keys.secret_key, server.url


def reading(function: F) -> F:
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
        url_option("Use this Langfuse server instead of the local appliance."),
        click.option("--jsonl", "as_jsonl", is_flag=True, help="Print one JSON object per line."),
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
    ):
        chosen = option(chosen)
    return cast("F", chosen)


def conditions_of(filters: Sequence[str]) -> list[Json]:
    """Filters of the query bar as the API takes them; raises InvalidRequest."""
    from appliance.model.query_bar import parse_query_bar

    return [condition.as_json() for condition in parse_query_bar(" ".join(filters))]


async def read_rows(client: LangfuseClient, path: str, limit: int, **params: Param) -> list[Json]:
    """The first `limit` rows of a list (0: all) as they are sent, page by page."""
    size = min(limit, PAGE_ROWS) or PAGE_ROWS
    rows: list[Json] = []
    number = 1
    while True:
        page = await client.get(path, {**params, "page": number, "limit": size}, into=ApiPage[Json])
        rows += page.data
        if (limit and len(rows) >= limit) or number >= (page.meta.total_pages or 1):
            return rows[:limit] if limit else rows
        number += 1
