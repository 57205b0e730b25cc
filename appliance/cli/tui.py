"""`tui`: replaces this process by the terminal UI."""

from __future__ import annotations

import os
from pathlib import Path

import click
from click.core import ParameterSource

from appliance.cli.options import attached, ca_option, data_dir_option, url_option
from appliance.own_command import become


@click.command()
@url_option("Attach to this Langfuse server instead of the appliance here.")
@click.option("--public-key", envvar="LANGFUSE_PUBLIC_KEY", help="Public key for --url.")
@click.option("--secret-key", envvar="LANGFUSE_SECRET_KEY", help="Secret key for --url.")
@ca_option
@data_dir_option
def tui(
    url: str | None, public_key: str | None, secret_key: str | None, ca_file: Path | None, data_dir: Path | None
) -> None:
    """Open the terminal UI on this machine's appliance, or attach to any Langfuse server.

    \b
    Example:
      langfuse-local tui --url https://cloud.langfuse.com --public-key pk-lf-... --secret-key sk-lf-...
    """
    sources = [click.get_current_context().get_parameter_source(name) for name in ("public_key", "secret_key")]
    if not url and ParameterSource.COMMANDLINE in sources:
        raise click.UsageError("--public-key and --secret-key need --url, the server they belong to.")
    server = None if url else attached()
    if server:
        url, public_key, secret_key = server
    if url and not (public_key and secret_key):
        raise click.UsageError("--url needs --public-key and --secret-key.")
    options = {"--data-dir": str(data_dir) if data_dir else None, "--ca": str(ca_file) if ca_file else None}
    if url and secret_key:
        options |= {"--url": url, "--public-key": public_key, "--secret-key-fd": _pipe_with(secret_key)}
    arguments = [word for name, value in options.items() if value for word in (name, value)]
    become("tui", *arguments, *(["--container"] if server else []))


def _pipe_with(secret: str) -> str:
    """The descriptor of a pipe that holds the secret: every user of the machine can see a program's arguments."""
    reading, writing = os.pipe()
    os.write(writing, secret.encode())
    os.close(writing)
    os.set_inheritable(reading, True)
    return str(reading)
