"""`python -m appliance`, and what the console script `langfuse-local` runs."""

from __future__ import annotations

import sys

from appliance.own_command import become

TYPE_CHECKING = False
if TYPE_CHECKING:  # mypy knows it by its name; importing typing takes as long as starting Python
    from typing import TextIO


def main() -> None:
    """Runs the command line and exits with its code; the bare command in a terminal becomes the terminal UI."""
    if len(sys.argv) == 1 and _is_terminal(sys.stdin) and _is_terminal(sys.stdout):
        # Before anything else is imported: its first picture should come at once.
        become("tui", "--start")
    from appliance.cli.interrupts import Interrupted, ignore_signals, raise_on_signals
    from appliance.cli.output import end_streams, take_over_streams

    take_over_streams()
    try:
        raise_on_signals()
        from appliance.cli.main import run

        code = run()
    except Interrupted as interrupted:
        ignore_signals()
        sys.stderr.write("Stopped.\n")
        code = interrupted.exit_code
    end_streams()
    sys.exit(code)


def _is_terminal(stream: TextIO | None) -> bool:
    """Whether a standard stream is a terminal; one that the shell closed is None."""
    return stream is not None and stream.isatty()


if __name__ == "__main__":
    main()
