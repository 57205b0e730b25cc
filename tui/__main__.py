"""`python -m tui`: opens the terminal UI on the appliance of this machine, or attaches to any server."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from appliance.config import load_settings
from appliance.errors import ApplianceError
from tui.gateway import LocalGateway, RemoteGateway
from tui.records import Server
from tui.state import StateFile


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="langfuse-local tui", description="Opens the terminal UI.")
    parser.add_argument("--url", help="attach to this server instead of the appliance on this machine")
    parser.add_argument("--public-key", default="")
    parser.add_argument("--secret-key-fd", type=int, help="open file to read the secret key from")
    parser.add_argument("--start", action="store_true", help="start the appliance when it does not run")
    parser.add_argument("--data-dir", type=Path, help="the appliance's data directory")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the terminal UI until it is left; returns the exit code."""
    arguments = parse_arguments(argv)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        sys.stderr.write("The terminal UI needs a terminal; `traces`, `trace` and `status` print without one.\n")
        return 2
    # Modules and trees of many thousand rows are not garbage: looking through them costs a tenth of the start.
    gc.set_threshold(100_000, 20, 20)
    from tui.app import LangfuseApp

    if arguments.url:
        if not arguments.public_key or arguments.secret_key_fd is None:
            sys.stderr.write("--url needs --public-key and --secret-key-fd.\n")
            return 2
        with os.fdopen(arguments.secret_key_fd) as secret_key:
            server = Server(arguments.url.rstrip("/"), arguments.public_key, secret_key.read(), local=False)
        app = LangfuseApp(RemoteGateway(server), StateFile(server.url))
    else:
        try:
            data_dir = load_settings({"data_dir": arguments.data_dir}).data_dir
        except ApplianceError as error:
            sys.stderr.write(f"{error}\n")
            return 1
        gateway = LocalGateway(data_dir, may_start=True)
        app = LangfuseApp(gateway, StateFile(str(data_dir)), starts=arguments.start)
    app.run()
    return app.return_code or 0


if __name__ == "__main__":
    sys.exit(main())
