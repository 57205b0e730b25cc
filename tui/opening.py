"""Opens the terminal UI; what can be refused is refused before Textual is imported."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from appliance.data_dir.location import find_data_dir
from appliance.errors import ApplianceError
from appliance.model.printable import REPLACE
from tui.api.container import ContainerGateway
from tui.api.gateway import Gateway, LocalGateway, RemoteGateway
from tui.model.records import Server
from tui.state import StateFile


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="langfuse-local tui", description="Opens the terminal UI.")
    parser.add_argument("--url", help="attach to this server instead of the appliance on this machine")
    parser.add_argument("--container", action="store_true", help="we run in a container of this server's")
    parser.add_argument("--public-key", default="")
    parser.add_argument("--secret-key-fd", type=int, help="open file to read the secret key from")
    parser.add_argument("--ca", type=Path, help="file of certificates to trust besides the usual ones")
    parser.add_argument("--start", action="store_true", help="start the appliance when it does not run")
    parser.add_argument("--data-dir", type=Path, help="the appliance's data directory")
    return parser.parse_args(argv)


def open_ui(argv: Sequence[str] | None = None) -> int:
    """Runs the terminal UI until it is left; returns the exit code."""
    arguments = parse_arguments(argv)
    if sys.stderr is None:  # and Textual draws on it
        sys.stdout.write("The terminal UI needs standard error, which is closed.\n")
        return 2
    if not (_is_terminal(sys.stdin) and _is_terminal(sys.stdout)):
        sys.stderr.write("The terminal UI needs a terminal; `traces`, `trace` and `status` print without one.\n")
        return 2
    if arguments.url and (not arguments.public_key or arguments.secret_key_fd is None):
        sys.stderr.write("--url needs --public-key and --secret-key-fd.\n")
        return 2
    try:
        gateway, name = _gateway(arguments)
    except ApplianceError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    with _drawing_on_the_terminal():
        from tui.app import LangfuseApp

        app = LangfuseApp(gateway, StateFile(name), starts=arguments.start)
        app.run()
    if isinstance(gateway, LocalGateway) and gateway.has_started:
        sys.stderr.write(f"langfuse-local still runs at {gateway.server.url}; `langfuse-local down` stops it.\n")
    return app.return_code or 0


def _gateway(arguments: argparse.Namespace) -> tuple[Gateway, str]:
    """The gateway, and the key under which its state is remembered; raises ConfigError."""
    if not arguments.url:
        data_dir = find_data_dir(arguments.data_dir)
        return LocalGateway(data_dir, may_start=True), str(data_dir)
    with os.fdopen(arguments.secret_key_fd) as secret_key:
        server = Server(arguments.url.rstrip("/"), arguments.public_key, secret_key.read(), local=False)
    if arguments.container:
        return ContainerGateway(server, arguments.ca), server.url
    return RemoteGateway(server, arguments.ca), server.url


def _is_terminal(stream: TextIO | None) -> bool:
    """Whether a standard stream is a terminal; one that the shell closed is None."""
    return stream is not None and stream.isatty()


@contextmanager
def _drawing_on_the_terminal() -> Iterator[None]:
    """Textual draws on standard error: this leads there to the terminal, also when the shell sent it to a file."""
    if isinstance(sys.stderr, TextIOWrapper):
        sys.stderr.reconfigure(errors=REPLACE)
    if _is_terminal(sys.stderr):
        yield
        return
    before = os.dup(2)
    os.dup2(1, 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(before, 2)
