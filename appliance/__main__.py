"""`python -m appliance`, and what the console script `langfuse-local` runs."""

from __future__ import annotations

import sys

from appliance.cli.interrupts import Interrupted, ignore_signals, raise_on_signals
from appliance.own_command import become


def main() -> None:
    """Runs the command line and exits with its code; the bare command in a terminal becomes the terminal UI."""
    if len(sys.argv) == 1 and sys.stdin.isatty() and sys.stdout.isatty():
        # Before anything else is imported: its first picture should come at once.
        become("tui", "--start")
    try:
        raise_on_signals()
        from appliance.cli.main import run

        code = run()
    except Interrupted as interrupted:
        ignore_signals()
        sys.stderr.write("Stopped.\n")
        code = interrupted.exit_code
    sys.exit(code)


if __name__ == "__main__":
    main()
