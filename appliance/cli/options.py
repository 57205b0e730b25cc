"""Options that several commands share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from appliance.errors import ConfigError

if TYPE_CHECKING:
    from appliance.config import Settings

Command = Callable[..., Any]

_DATA_DIR = click.option(
    "--data-dir", type=click.Path(file_okay=False, path_type=Path), help="Directory of all data of one appliance."
)


def _check_url(_context: click.Context, _parameter: click.Parameter, url: str | None) -> str | None:
    if url is None:
        return None
    from appliance.connection import checked_address

    try:
        return checked_address(url)
    except ConfigError as error:
        raise click.BadParameter(str(error)) from error


def url_option(text: str) -> Callable[[Command], Command]:
    """The option `--url`, validated as an address of a server."""
    return click.option("--url", callback=_check_url, help=text)


ca_option = click.option(
    "--ca",
    "ca_file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Trust the certificates in this file, too, such as a self-signed one of --url.",
)


def data_dir_option(function: Command) -> Command:
    """Adds the option `--data-dir`."""
    return _DATA_DIR(function)


def ask_before_deleting(question: str, *, otherwise: str = "Nothing was deleted.") -> None:
    """Asks; without a yes prints `otherwise` and exits with code 1."""
    try:
        if click.confirm(question, err=True):
            return
    except click.Abort:  # Ctrl-C, or nobody is there to answer
        click.echo("", err=True)
        otherwise = f"{otherwise} Use --yes to delete without a question."
    click.echo(otherwise, err=True)
    sys.exit(1)


def settings_from(**flags: object) -> Settings:
    """Settings with the given flags on top; raises ConfigError."""
    from appliance.config import load_settings

    return load_settings(flags)


def attached() -> tuple[str, str, str] | None:
    """Address, public and secret key of the server at `attach_url`, which web's container sets; None without it."""
    settings = settings_from()
    if not settings.attach_url:
        return None
    return settings.attach_url, settings.init.public_key, settings.init.secret_key
